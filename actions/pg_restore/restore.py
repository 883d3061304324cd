"""Restore the newest dump: beside the platform's database, counted, then swapped in by name; the old one is kept."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping

from actions.by_hand import createdb, psql
from actions.pg_restore import names
from actions.pg_restore.dump_checks import dump_checks
from actions.pg_restore.held import HeldDump
from actions.pg_restore.impact import impact
from actions.pg_restore.proofs import PROOFS, judge
from actions.pg_restore.restoring import Compare, Make, Put, Read, Restore
from actions.pg_restore.server_checks import make_checks, server_checks, swap_checks
from actions.step import Step
from cockpit.clients.postgres_link import conninfo, database_name
from cockpit.config import PostgresPart, Settings
from cockpit.errors import BackendError
from cockpit.model.audit import Operator
from cockpit.model.backends import Dump
from cockpit.model.danger import Danger
from cockpit.model.plan import Check, Plan, PlanStep
from cockpit.model.snapshot import Snapshot

__all__ = ["EVIDENCE", "ID", "judge", "plan", "steps"]

ID = "pg_restore.restore"
EVIDENCE = frozenset({"postgres", "databases", "dump"})
DEADLINE_S = 60.0
PACKED = 6
"""Times that pg_dump makes rows smaller, about."""


def plan(settings: Settings, operator: Operator, parameters: Mapping[str, str], snapshot: Snapshot, now: float) -> Plan:
    """What restoring would do now."""
    part = settings.postgres or PostgresPart()
    database, dump = wanted(part), snapshot.dump.value
    identity = parameters.get("dump") or (dump.identity if dump is not None else "")
    file = settings.below_root(part.dump)
    return Plan(
        action=ID,
        title=f"Restore {database} from {file.name}",
        sentence="Restores the dump beside the database, counts it, and swaps the two by name. The old one is kept.",
        world=settings.world,
        site=settings.site,
        target=database,
        danger=Danger.DANGER,
        parameters=(("dump", identity),),
        steps=tuple(_steps(part, database, str(file))),
        checks=tuple(_checks(settings, part, identity, snapshot, now)),
        impact=tuple(impact(settings, snapshot, now)),
        proofs=PROOFS,
        proof_deadline_s=DEADLINE_S,
        undo="swap back (Space p u), as long as the old one is kept",
        phrase=f"RESTORE {database} ON {settings.site}",
        needs_reason=True,
        locks=("postgres",),
        is_cancellable=True,
        prepared_at=now,
    )


def steps(plan: Plan) -> tuple[Step, ...]:
    """They share the dump, which is the same file from the first to the last even where another takes its name."""
    held = HeldDump()
    return (Read(held), Make(), Restore(held), Compare(), Put())


def wanted(part: PostgresPart) -> str:
    """The platform's database; a dsn that is no use is for the checks to say."""
    try:
        return database_name(part)
    except BackendError:
        return "hedgefund"


def _steps(part: PostgresPart, database: str, file: str) -> Iterator[PlanStep]:
    side, aside = names.side(database), names.aside(database)
    try:
        to = conninfo(part, side)
    except BackendError:
        to = side
    restore = (part.pg_restore, "--exit-on-error", "--verbose", "--jobs", str(part.restore_jobs), "-d", to, file)
    read = (part.pg_restore, "-f", "-", file)
    yield PlanStep("dump read in full", shlex.join(read))
    create = f"CREATE DATABASE {side} TEMPLATE template0"
    yield PlanStep("database beside it made", create, createdb(part, side))
    yield PlanStep("dump restored into it", shlex.join(restore), shlex.join(restore))
    yield PlanStep(
        "rows counted and compared", f"ANALYZE; SELECT count(*) of each table in {side}; its settings copied"
    )
    rename = f"ALTER DATABASE {database} RENAME TO {aside}; ALTER DATABASE {side} RENAME TO {database}"
    yield PlanStep(
        "swapped",
        f"ALTER DATABASE {database} ALLOW_CONNECTIONS false; its sessions ended; in one transaction {rename}",
        psql(part, part.maintenance_database, f"BEGIN; {rename}; COMMIT"),
    )


def _checks(settings: Settings, part: PostgresPart, identity: str, snapshot: Snapshot, now: float) -> Iterator[Check]:
    yield from server_checks(settings, snapshot, now)
    found, dump = snapshot.databases.value, snapshot.dump.value
    if settings.postgres is None or found is None or not snapshot.databases.is_live(now):
        return
    yield from swap_checks(found)
    yield from make_checks(found, _unpacked_bytes(dump))
    yield from dump_checks(part, identity, found, snapshot, now)


def _unpacked_bytes(dump: Dump | None) -> int:
    """Counted where all of it was read; else guessed from its size."""
    if dump is None:
        return 0
    return dump.contents.raw_bytes if dump.contents is not None else PACKED * dump.size_bytes
