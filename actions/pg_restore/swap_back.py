"""Undo a restore: the database that was put aside back in its place; or let clients in again after half a swap."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from actions.by_hand import psql
from actions.checks import FAIL, PASS
from actions.pg_restore import names
from actions.pg_restore.proofs import ANSWERS, KEPT, answers, kept
from actions.pg_restore.restore import wanted
from actions.pg_restore.restoring import SWAP_S, swapped
from actions.pg_restore.server_checks import server_checks, sessions, swap_checks
from actions.step import Result, Stage, Step
from cockpit.clients.postgres_swap import allow, swap
from cockpit.config import PostgresPart, Settings
from cockpit.errors import ConfigError
from cockpit.model.audit import Operator
from cockpit.model.backends import Databases
from cockpit.model.choice import Choice
from cockpit.model.danger import Danger
from cockpit.model.job import JobStep, StepState
from cockpit.model.plan import Check, Plan, PlanStep
from cockpit.model.snapshot import Snapshot

ID = "pg_restore.swap_back"
EVIDENCE = frozenset({"postgres", "databases"})
DEADLINE_S = 30.0
SWAP, ALLOW = "swap", "allow"
OPEN = "it takes connections"


def plan(settings: Settings, operator: Operator, parameters: Mapping[str, str], snapshot: Snapshot, now: float) -> Plan:
    """What undoing would do now."""
    part = settings.postgres or PostgresPart()
    database, found = wanted(part), snapshot.databases.value
    mode = parameters.get("mode") or (ALLOW if _is_shut(found) else SWAP)
    old = parameters.get("database") or _newest(database, found)
    is_swap = mode == SWAP
    return Plan(
        action=ID,
        title=f"Swap {database} back" if is_swap else f"Let clients into {database} again",
        sentence=_sentence(is_swap, old),
        world=settings.world,
        site=settings.site,
        target=database,
        danger=Danger.DANGER,
        parameters=(("mode", mode), ("database", old if is_swap else database)),
        steps=(_step(part, database, old, is_swap),),
        checks=tuple(_checks(settings, database, old, is_swap, snapshot, now)),
        impact=tuple(_impact(database, old, is_swap, found, now)),
        proofs=(ANSWERS, KEPT) if is_swap else (OPEN, ANSWERS),
        proof_deadline_s=DEADLINE_S,
        undo="swap back once more: nothing is dropped" if is_swap else "none needed",
        phrase=f"SWAP BACK {database} ON {settings.site}" if is_swap else f"OPEN {database} ON {settings.site}",
        needs_reason=True,
        locks=("postgres",),
        prepared_at=now,
    )


def choices(parameter: str, settings: Settings, snapshot: Snapshot, chosen: Mapping[str, str]) -> tuple[Choice, ...]:
    """What was put aside; nothing where clients are only to be let in again."""
    found = snapshot.databases.value
    if _is_shut(found):
        return ()
    return tuple(names.choices(wanted(settings.postgres or PostgresPart()), found, snapshot.taken_at))


def steps(plan: Plan) -> tuple[Step, ...]:
    """One statement to the server, whichever it is."""
    return (_SwapBack() if dict(plan.parameters).get("mode") == SWAP else _Allow(),)


def judge(stage: Stage) -> tuple[JobStep, ...]:
    """In the order of the plan's proofs."""
    if dict(stage.plan.parameters).get("mode") == SWAP:
        return (answers(stage), kept(stage))
    return (_open(stage), answers(stage))


class _SwapBack(Step):
    deadline_s = SWAP_S

    def before(self, stage: Stage) -> dict[str, Any]:
        """What the one that is there now will be called."""
        stamp, database = names.stamp(stage.clock.now()), stage.plan.target
        found = stage.snapshot.databases.value
        current = found.current if found is not None else None
        return {"stamp": stamp, "aside": names.aside(database, stamp), "is_there": current is not None}

    def command(self, stage: Stage) -> str | None:
        """With the name in it."""
        return stage.plan.steps[0].command.replace(names.STAMP, str(stage.facts["stamp"]))

    async def perform(self, stage: Stage) -> Result:
        """Refused means that everything is as it was."""
        old, database = dict(stage.plan.parameters)["database"], stage.plan.target
        await swap(_part(stage), database, old, str(stage.facts["aside"]))
        return Result(StepState.DONE, f"{database} is {old} again; the other one is {stage.facts['aside']}")

    def probe(self, stage: Stage) -> Result:
        """Both names tell: they change together."""
        return swapped(stage, dict(stage.plan.parameters)["database"], str(stage.facts.get("aside")))


class _Allow(Step):
    async def perform(self, stage: Stage) -> Result:
        """One flag of the database."""
        await allow(_part(stage), stage.plan.target)
        return Result(StepState.DONE, "allowed")

    def probe(self, stage: Stage) -> Result:
        """Whether the flag is set."""
        found = _open(stage)
        state = StepState.FAILED if found.state is StepState.RUNNING else found.state
        return Result(state, found.detail)


def _open(stage: Stage) -> JobStep:
    sample = stage.snapshot.databases
    if sample.value is None or not sample.is_live(stage.clock.now()):
        return JobStep(OPEN, StepState.UNKNOWN, sample.error or "not read")
    current = sample.value.current
    if current is None or not current.takes_connections:
        return JobStep(OPEN, StepState.RUNNING, f"{stage.plan.target} takes none")
    return JobStep(OPEN, StepState.DONE, f"{current.sessions} sessions")


def _part(stage: Stage) -> PostgresPart:
    if stage.settings.postgres is None:
        raise ConfigError("no Postgres is configured")
    return stage.settings.postgres


def _is_shut(found: Databases | None) -> bool:
    current = found.current if found is not None else None
    return current is not None and not current.takes_connections


def _newest(database: str, found: Databases | None) -> str:
    """The one that was put aside last."""
    kept_ones = [one.name for one in found.found if names.is_aside(database, one.name)] if found is not None else []
    return max(kept_ones, default="")


def _sentence(is_swap: bool, old: str) -> str:
    if is_swap:
        return (
            f"Puts {old or 'the old database'} back in its place. The one that is there now is kept under a new name."
        )
    return "A swap was left half-way: the database is as it was, and takes connections again."


def _step(part: PostgresPart, database: str, old: str, is_swap: bool) -> PlanStep:
    shut = f"ALTER DATABASE {database} ALLOW_CONNECTIONS"
    if not is_swap:
        return PlanStep("connections allowed", f"{shut} true", psql(part, part.maintenance_database, f"{shut} true"))
    aside = names.aside(database)
    rename = f"ALTER DATABASE {database} RENAME TO {aside}; ALTER DATABASE {old} RENAME TO {database}"
    whole = f"{shut} false; its sessions ended; in one transaction {rename}; {shut} true"
    by_hand = psql(part, part.maintenance_database, f"BEGIN; {rename}; {shut} true; COMMIT")
    return PlanStep("swapped back", whole, by_hand)


def _checks(
    settings: Settings, database: str, old: str, is_swap: bool, snapshot: Snapshot, now: float
) -> Iterator[Check]:
    yield from server_checks(settings, snapshot, now)
    found = snapshot.databases.value
    if settings.postgres is None or found is None or not snapshot.databases.is_live(now):
        return
    if not is_swap:
        current = found.current
        if current is None or not current.is_ours:
            words = f"there is no {database}" if current is None else f"{database} is {current.owner}'s"
            yield Check("connections", FAIL, words)
        elif current.takes_connections:
            yield Check("connections", FAIL, f"{database} takes them: there is nothing to do")
        else:
            yield Check("connections", PASS, f"{database} takes none")
        return
    yield from swap_checks(found)
    there = found.named(old) if old else None
    if there is None or not names.is_aside(database, old):
        yield Check("old one", FAIL, f"there is no {old}" if old else f"no {names.aside(database, '...')} is kept")
    elif not there.is_ours:
        yield Check("old one", FAIL, f"{old} belongs to {there.owner}: GRANT {there.owner} TO {found.role}")
    else:
        yield Check("old one", PASS, old)


def _impact(database: str, old: str, is_swap: bool, found: Databases | None, now: float) -> Iterator[str]:
    current = found.current if found is not None else None
    made_at = names.made_at(database, old)
    if not is_swap:
        yield "clients connect again as soon as they try"
        return
    if made_at is not None:
        yield f"{database} is as it was {max(0.0, now - made_at) / 60:.0f} min ago, when it was put aside"
    if current is not None:
        yield f"{sessions(current)} cut off at the swap, for less than a second"
        yield f"what was written since stays in the one that is put aside now, {names.aside(database)}"
