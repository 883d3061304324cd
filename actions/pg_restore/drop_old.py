"""Drop a database that a restore put aside or left behind: for good, so only when it is old and the new one works."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from actions.by_hand import psql
from actions.checks import FAIL, PASS, evidence_error
from actions.pg_restore import names
from actions.pg_restore.restore import wanted
from actions.pg_restore.server_checks import mb, server_checks
from actions.step import Result, Stage, Step
from cockpit.clients.postgres_side import drop_database
from cockpit.config import PostgresPart, Settings
from cockpit.errors import ConfigError
from cockpit.model.audit import Operator
from cockpit.model.backends import Database, Databases
from cockpit.model.choice import Choice
from cockpit.model.danger import Danger
from cockpit.model.job import JobStep, StepState
from cockpit.model.plan import Check, Plan, PlanStep
from cockpit.model.snapshot import Snapshot

ID = "pg_restore.drop_old"
EVIDENCE = frozenset({"postgres", "databases"})
GONE = "it is gone"
NOBODY = "no old database"


def plan(settings: Settings, operator: Operator, parameters: Mapping[str, str], snapshot: Snapshot, now: float) -> Plan:
    """What dropping the oldest one would do now; another one where `database` names it."""
    part = settings.postgres or PostgresPart()
    database, found = wanted(part), snapshot.databases.value
    old = parameters.get("database") or _oldest(database, found)
    drop = f"DROP DATABASE {old}"
    return Plan(
        action=ID,
        title=f"Drop {old or 'an old database'}",
        sentence="Removes for good a database that a restore put aside or left behind.",
        world=settings.world,
        site=settings.site,
        target=old or NOBODY,
        danger=Danger.DANGER,
        parameters=(("database", old),),
        steps=(PlanStep(f"{old or 'it'} dropped", drop, psql(part, part.maintenance_database, drop)),),
        checks=tuple(_checks(settings, part, database, old, snapshot, now)),
        impact=tuple(_impact(database, old, found, now)),
        proofs=(GONE,),
        proof_deadline_s=15.0,
        undo="none: it is gone for good",
        phrase=f"DROP {old or NOBODY} ON {settings.site}",
        needs_reason=True,
        locks=("postgres",),
        prepared_at=now,
    )


def choices(parameter: str, settings: Settings, snapshot: Snapshot, chosen: Mapping[str, str]) -> tuple[Choice, ...]:
    """All that restores made beside the database."""
    database, found = wanted(settings.postgres or PostgresPart()), snapshot.databases.value
    return tuple(names.choices(database, found, snapshot.taken_at, is_any=True))


def steps(plan: Plan) -> tuple[Step, ...]:
    """One statement."""
    return (_Drop(),)


class _Drop(Step):
    deadline_s = 120.0
    settle_s = 10.0

    async def perform(self, stage: Stage) -> Result:
        """Without force: whoever is in it keeps it."""
        if stage.settings.postgres is None:
            raise ConfigError("no Postgres is configured")
        await drop_database(stage.settings.postgres, stage.plan.target)
        return Result(StepState.DONE, "dropped")

    def probe(self, stage: Stage) -> Result:
        """Whether it is there."""
        found = judge(stage)[0]
        return Result(StepState.FAILED if found.state is StepState.RUNNING else found.state, found.detail)


def judge(stage: Stage) -> tuple[JobStep, ...]:
    """It is no longer among the databases."""
    sample, old = stage.snapshot.databases, stage.plan.target
    if sample.value is None or not sample.is_live(stage.clock.now()):
        return (JobStep(GONE, StepState.UNKNOWN, sample.error or "not read"),)
    if sample.value.named(old) is not None:
        return (JobStep(GONE, StepState.RUNNING, f"{old} is there"),)
    return (JobStep(GONE, StepState.DONE, old),)


def _oldest(database: str, found: Databases | None) -> str:
    """By what their names say."""
    dated = [(names.made_at(database, one.name), one.name) for one in found.found] if found is not None else []
    return min(((at, name) for at, name in dated if at is not None), default=(0.0, ""))[1]


def _checks(
    settings: Settings, part: PostgresPart, database: str, old: str, snapshot: Snapshot, now: float
) -> Iterator[Check]:
    yield from server_checks(settings, snapshot, now)
    found = snapshot.databases.value
    if settings.postgres is None or found is None or not snapshot.databases.is_live(now):
        return
    there, made_at = found.named(old), names.made_at(database, old)
    if there is None or made_at is None:
        words = f"{old} is none that a restore made" if old else "a restore has left none"
        yield Check("old one", FAIL, words)
        return
    yield from _may(found, there)
    if names.is_aside(database, old):
        yield _age(part, now - made_at)
        yield _new_one(snapshot, now)


def _may(found: Databases, there: Database) -> Iterator[Check]:
    if not there.is_ours:
        yield Check("old one", FAIL, f"it belongs to {there.owner}: GRANT {there.owner} TO {found.role}")
    elif there.sessions or there.prepared:
        yield Check("old one", FAIL, f"{there.sessions} sessions are in it, {there.prepared} prepared transactions")
    else:
        yield Check("old one", PASS, f"{there.name}, nobody is in it")


def _age(part: PostgresPart, age_s: float) -> Check:
    words = f"put aside {age_s / 3600:.1f} h ago, to be kept for {part.kept_s / 3600:.1f} h"
    return Check("age", PASS if age_s >= part.kept_s else FAIL, words, is_overridable=True)


def _new_one(snapshot: Snapshot, now: float) -> Check:
    """Where the new one does not work, this may be all that is left."""
    unknown = evidence_error("new one", snapshot.postgres, now)
    server = snapshot.postgres.value
    if unknown is not None or server is None:
        return unknown or Check("new one", FAIL, "not read")
    if server.missing_tables:
        return Check("new one", FAIL, f"it lacks {', '.join(server.missing_tables)}")
    return Check("new one", PASS, f"it answers, {server.connections} sessions", snapshot.postgres.age_s(now))


def _impact(database: str, old: str, found: Databases | None, now: float) -> Iterator[str]:
    there, made_at = found.named(old) if found is not None else None, names.made_at(database, old)
    if there is None or made_at is None:
        return
    kind = "put aside" if names.is_aside(database, old) else "begun by a restore that did not end"
    size = "" if there.size_bytes is None else f", {mb(there.size_bytes)}"
    yield f"{kind} {max(0.0, now - made_at) / 60:.0f} min ago{size}"
    yield "what only it has cannot be brought back, and the restore can no longer be undone"
