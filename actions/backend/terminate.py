"""Terminate the Postgres backend that holds others up: the very session that was seen, no later one of its pid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from actions.by_hand import psql
from actions.checks import FAIL, PASS, WARN, evidence_error, world_check
from actions.step import Result, Stage, Step
from cockpit.clients.postgres_end import end_backend, is_there
from cockpit.config import PostgresPart, Settings
from cockpit.errors import ConfigError
from cockpit.model.audit import Operator
from cockpit.model.backends import LockHolder, PostgresServer
from cockpit.model.choice import Choice
from cockpit.model.danger import Danger
from cockpit.model.job import JobStep, StepState
from cockpit.model.plan import Check, Plan, PlanStep
from cockpit.model.snapshot import Snapshot

ID = "backend.terminate"
EVIDENCE = frozenset({"postgres"})
END_S = 10.0
DEADLINE_S = 15.0
GONE = "that session is gone"
FREE = "nobody waits for it any more"
DONE, RUNNING, FAILED, UNKNOWN = StepState.DONE, StepState.RUNNING, StepState.FAILED, StepState.UNKNOWN


def plan(settings: Settings, operator: Operator, parameters: Mapping[str, str], snapshot: Snapshot, now: float) -> Plan:
    """What ending the session that holds up most would do now; another one where `pid` names it."""
    server = snapshot.postgres.value
    pid, began = _chosen(server, parameters)
    holder = _holder(server, pid, began)
    return Plan(
        action=ID,
        title=f"Terminate backend {pid}" if pid else "Terminate a blocking backend",
        sentence="Ends one session of Postgres. What it had not committed is rolled back, and its locks are free.",
        world=settings.world,
        site=settings.site,
        target=f"backend {pid or 'none'}",
        danger=Danger.DISRUPT,
        parameters=(("pid", str(pid)), ("began_us", str(began))),
        steps=(_step(settings, pid, began),),
        checks=tuple(_checks(settings, pid, holder, snapshot, now)),
        impact=tuple(_impact(server, holder)),
        proofs=(GONE, FREE),
        proof_deadline_s=DEADLINE_S,
        undo="none: its client has to do again what was rolled back",
        phrase=f"backend {pid or 'none'}",
        locks=("postgres",),
        prepared_at=now,
    )


def choices(parameter: str, settings: Settings, snapshot: Snapshot, chosen: Mapping[str, str]) -> tuple[Choice, ...]:
    """Everybody who holds others up, who holds up most first."""
    server = snapshot.postgres.value
    return tuple(Choice("pid", str(one.pid), _stands(one, held)) for one, held, _ in (server.roots() if server else ()))


def _stands(holder: LockHolder, held: int) -> str:
    return f"holds up {held}: {holder.user}, {holder.application}, {holder.state}; {holder.query or 'query hidden'}"


def steps(plan: Plan) -> tuple[Step, ...]:
    """The one call."""
    return (_Terminate(),)


def _step(settings: Settings, pid: int, began_us: int) -> PlanStep:
    part = settings.postgres or PostgresPart()
    call = f"SELECT pg_terminate_backend({pid})"
    return PlanStep(
        f"backend {pid} ended" if pid else "backend ended",
        f"{call}, only the session that began at {_moment(began_us)}" if pid else call,
        psql(part, part.maintenance_database, call),
    )


def _moment(began_us: int) -> str:
    """To the microsecond, for that is how a session is told from a later one of the same number.

    >>> _moment(1_795_593_145_947_395)
    '2026-11-25 07:52:25.947395 UTC'
    """
    seconds, us = divmod(began_us, 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{us:06d} UTC"


class _Terminate(Step):
    deadline_s = END_S + 10.0

    async def perform(self, stage: Stage) -> Result:
        """Told to end, then looked for until it is gone."""
        part, (pid, began) = stage.settings.postgres, _confirmed(stage.plan)
        if part is None:
            raise ConfigError("no Postgres is configured")
        if not await end_backend(part, pid, began, END_S):
            return Result(DONE, "it had ended by itself", {"gone": True})
        return Result(DONE, "told to end, and gone", {"gone": True})

    async def look(self, stage: Stage) -> Result:
        """The server is asked for that session: one that nobody waits for any more may be there all the same."""
        part, (pid, began) = stage.settings.postgres, _confirmed(stage.plan)
        if part is None:
            raise ConfigError("no Postgres is configured")
        if await is_there(part, pid, began):
            return Result(FAILED, f"backend {pid} is there")
        return Result(DONE, f"backend {pid} is gone", {"gone": True})


def judge(stage: Stage) -> tuple[JobStep, ...]:
    """That session no longer holds a lock that anybody waits for."""
    sample, (pid, began) = stage.snapshot.postgres, _confirmed(stage.plan)
    server = sample.value
    if server is None or not sample.is_live(stage.clock.now()):
        why = sample.error or "Postgres was not read"
        return (JobStep(GONE, UNKNOWN, why), JobStep(FREE, UNKNOWN, why))
    is_gone = bool(stage.facts.get("gone")) and _holder(server, pid, began) is None
    waiting = sum(pid in one.blocked_by for one in server.blocked)
    others = f"; {len(server.blocked)} wait for others" if server.blocked else ""
    return (
        JobStep(GONE, DONE if is_gone else RUNNING, f"backend {pid} {'is gone' if is_gone else 'is still there'}"),
        JobStep(FREE, RUNNING if waiting else DONE, f"{waiting} wait for it{others}"),
    )


def _chosen(server: PostgresServer | None, parameters: Mapping[str, str]) -> tuple[int, int]:
    """As confirmed; else who holds up most. 0 stands for nobody."""
    pid, began = (_number(parameters.get(name)) for name in ("pid", "began_us"))
    roots = server.roots() if server is not None else ()
    if pid and began:
        return pid, began
    for holder, _, _ in roots:
        if pid in (0, holder.pid):
            return holder.pid, holder.began_us or 0
    return pid, 0


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isdecimal() else 0


def _confirmed(plan: Plan) -> tuple[int, int]:
    said: dict[str, Any] = dict(plan.parameters)
    return _number(said.get("pid")), _number(said.get("began_us"))


def _holder(server: PostgresServer | None, pid: int, began_us: int) -> LockHolder | None:
    """That very session, while it holds others up."""
    found = server.holders if server is not None else ()
    return next((one for one in found if one.pid == pid and (one.began_us or 0) == began_us), None)


def _checks(settings: Settings, pid: int, holder: LockHolder | None, snapshot: Snapshot, now: float) -> Iterator[Check]:
    yield from world_check(settings.world)
    if settings.postgres is None:
        yield Check("Postgres answers", FAIL, "no Postgres is configured")
        return
    sample = snapshot.postgres
    unknown = evidence_error("Postgres answers", sample, now)
    if unknown is not None or sample.value is None:
        yield unknown or Check("Postgres answers", FAIL, "not read")
        return
    age_s = sample.age_s(now)
    yield Check("Postgres answers", PASS, f"{sample.value.connections} sessions", age_s)
    if holder is None:
        yield Check("somebody blocks", FAIL, _nobody(sample.value, pid), age_s)
        return
    count = len(sample.value.waiting_for(pid))
    yield Check("somebody blocks", PASS, f"backend {pid} holds up {count}", age_s)
    yield _may_end(sample.value.role, holder, age_s)
    if holder.state == "active":
        yield Check("it is idle", WARN, "it works on its query: what it has done in it is lost", age_s)


def _nobody(server: PostgresServer, pid: int) -> str:
    if any(0 in one.blocked_by for one in server.blocked):
        return "a prepared transaction holds the lock: see pg_prepared_xacts, then ROLLBACK PREPARED by hand"
    if server.blocked and not server.holders:
        return f"{len(server.blocked)} wait, and who holds the lock cannot be seen"
    return f"backend {pid} holds nobody up" if pid else "nobody waits for a lock"


def _may_end(role: str, holder: LockHolder, age_s: float | None) -> Check:
    name = "it may be ended"
    if holder.began_us is None:
        words = f"its session is hidden from {role}: GRANT pg_monitor TO {role}"
        return Check(name, FAIL, words, age_s)
    if holder.is_ours_to_end:
        return Check(name, PASS, f"user {holder.user}, as {role}", age_s)
    if holder.is_superuser:
        return Check(name, FAIL, f"{holder.user} is a superuser: only a superuser may end its sessions", age_s)
    return Check(name, FAIL, f"it is {holder.user}'s: GRANT pg_signal_backend TO {role}", age_s)


def _impact(server: PostgresServer | None, holder: LockHolder | None) -> Iterator[str]:
    if server is None or holder is None:
        return
    since = "" if holder.transaction_s is None else f", in a transaction for {holder.transaction_s:.0f} s"
    yield f"backend {holder.pid}: {holder.user} from {holder.client}, {holder.application}, {holder.state}{since}"
    yield f"its last query: {holder.query or 'hidden'}"
    for one in server.waiting_for(holder.pid)[:5]:
        yield f"waits {one.waiting_s:.0f} s: {one.user}, backend {one.pid}: {one.query}"
    more = len(server.waiting_for(holder.pid)) - 5
    if more > 0:
        yield f"and {more} more"
