"""Whether the server and the cockpit's role there allow databases to be made and swapped."""

from __future__ import annotations

from collections.abc import Iterator

from actions.checks import FAIL, PASS, WARN, evidence_error, world_check
from actions.pg_restore import names
from cockpit.config import Settings
from cockpit.model.backends import Database, Databases
from cockpit.model.plan import Check
from cockpit.model.snapshot import Snapshot

ROOM = 2
"""Times the database: what is restored, and what is logged on the way."""


def server_checks(settings: Settings, snapshot: Snapshot, now: float) -> Iterator[Check]:
    """That it answers and is the primary; every plan of this package needs that."""
    yield from world_check(settings.world)
    if settings.postgres is None:
        yield Check("Postgres answers", FAIL, "no Postgres is configured")
        return
    unknown = evidence_error("Postgres answers", snapshot.databases, now)
    found = snapshot.databases.value
    if unknown is not None or found is None:
        yield unknown or Check("Postgres answers", FAIL, "not read")
        return
    age_s = snapshot.databases.age_s(now)
    yield Check("Postgres answers", PASS, f"version {found.version // 10_000}, as {found.role}", age_s)
    if found.is_in_recovery:
        yield Check("primary", FAIL, "it is a standby: it refuses writes", age_s)
    if not names.fits(found.wanted):
        yield Check("name", FAIL, f"{found.wanted} is too long a name to put anything behind it")


def swap_checks(found: Databases) -> Iterator[Check]:
    """Whether the platform's database can be renamed."""
    current = found.current
    if current is None:
        yield Check("database", WARN, f"there is no database {found.wanted}: nothing has to be put aside")
        return
    yield Check("database", PASS, f"{current.name}, {sessions(current)}")
    if not current.is_ours:
        words = f"it belongs to {current.owner}: GRANT {current.owner} TO {found.role}"
        yield Check("owner", FAIL, words)
    if current.superuser_sessions and not found.is_superuser:
        words = f"{current.superuser_sessions} of a superuser, which {found.role} may not end: end them first"
        yield Check("sessions", FAIL, words)
    if current.prepared:
        yield Check("prepared transactions", FAIL, f"{current.prepared} in it: commit or roll them back first")
    if current.slots:
        yield Check("replication slots", FAIL, f"{current.slots} logical ones in it: they would follow the old one")
    if not current.takes_connections:
        words = "it takes no connections: a swap was left half-way, or somebody wants it so"
        yield Check("connections", WARN, words)


def make_checks(found: Databases, raw_bytes: int) -> Iterator[Check]:
    """Whether another one may be made, and fits."""
    if not found.may_create:
        yield Check("role", FAIL, f"{found.role} may make no database: ALTER ROLE {found.role} CREATEDB")
    current = found.current
    sizes = [size for size in (current.size_bytes if current else None, raw_bytes) if size]
    needed = ROOM * max(sizes, default=0)
    if found.free_bytes is None:
        words = f"the server's disk is not seen from here: about {mb(needed)} needed"
        yield Check("disk", WARN, words)
    else:
        words = f"{mb(found.free_bytes)} free, about {mb(needed)} needed"
        yield Check("disk", PASS if found.free_bytes > needed else FAIL, words, is_overridable=True)


def mb(size: int) -> str:
    """As a person says it.

    >>> mb(84 * 2**20)
    '84 MB'
    """
    return f"{size / (1 << 20):,.0f} MB"


def sessions(found: Database) -> str:
    """How many, in words."""
    return f"{found.sessions} session{'' if found.sessions == 1 else 's'}"
