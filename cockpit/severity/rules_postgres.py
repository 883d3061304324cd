"""Postgres and its newest dump."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cockpit.model.severity import Severity
from cockpit.severity import sections, words
from cockpit.severity.rule import Hit, View, rule

if TYPE_CHECKING:
    from cockpit.model.backends import Databases, Dump, PostgresServer

SUBJECT = "postgres"


@rule("postgres", panel="postgres", section=sections.POSTGRES)
def postgres_tables(view: View, postgres: PostgresServer) -> Iterator[Hit]:
    """Tables that the platform writes to are gone."""
    if postgres.missing_tables:
        names = ", ".join(postgres.missing_tables)
        noun = "table" if len(postgres.missing_tables) == 1 else "tables"
        yield Hit(SUBJECT, Severity.P1, f"Postgres lacks {noun} {names}", f"{names} missing", "all there")


@rule("postgres", panel="postgres", section=sections.POSTGRES)
def postgres_recovery(view: View, postgres: PostgresServer) -> Iterator[Hit]:
    """A database in recovery refuses writes."""
    if postgres.is_in_recovery:
        yield Hit(SUBJECT, Severity.P1, "Postgres is in recovery: it refuses writes", "in recovery", "primary")


@rule("postgres", panel="postgres", section=sections.POSTGRES)
def postgres_blocked(view: View, postgres: PostgresServer) -> Iterator[Hit]:
    """Somebody holds a lock that others wait for."""
    waiting = [blocker for blocker in postgres.blocked if blocker.waiting_s > view.limits.blocked_s]
    if not waiting:
        return
    worst = max(waiting, key=lambda blocker: blocker.waiting_s)
    severity = Severity.P2 if worst.waiting_s > view.limits.blocked_long_s else Severity.P3
    holders = ", ".join(str(pid) for pid in worst.blocked_by) or "unknown"
    yield Hit(
        SUBJECT,
        severity,
        f"Postgres: {len(waiting)} blocked by pid {holders} for {words.seconds(worst.waiting_s)}",
        f"{len(waiting)} blocked",
        words.seconds(view.limits.blocked_s),
        since=view.ago(worst.waiting_s),
    )


@rule("postgres", panel="postgres", section=sections.POSTGRES)
def postgres_connections(view: View, postgres: PostgresServer) -> Iterator[Hit]:
    """Connections run out."""
    limit = view.limits.connections_fraction
    if postgres.max_connections and postgres.connections > limit * postgres.max_connections:
        used = f"{postgres.connections} of {postgres.max_connections}"
        yield Hit(SUBJECT, Severity.P2, f"Postgres connections {used}", used, words.percent(limit))


@rule("databases", panel="postgres", section=sections.POSTGRES)
def database_gone(view: View, databases: Databases) -> Iterator[Hit]:
    """The platform's database is not there."""
    if databases.current is None and not databases.is_swapping:
        yield Hit("database", Severity.P1, f"there is no database {databases.wanted}", "gone", "there")


@rule("databases", panel="postgres", section=sections.POSTGRES)
def database_shut(view: View, databases: Databases) -> Iterator[Hit]:
    """The platform's database lets nobody in: a swap that was left half-way does that."""
    current = databases.current
    if current is not None and not current.takes_connections and not databases.is_swapping:
        yield Hit("database", Severity.P1, f"database {current.name} takes no connections", "shut", "open")


@rule("dump", panel="postgres", section=sections.POSTGRES)
def dump_old(view: View, dump: Dump) -> Iterator[Hit]:
    """A restore would lose more than agreed."""
    limit_s = view.settings.postgres.dump_max_age_s if view.settings.postgres else None
    if limit_s is not None and dump.age_s > limit_s:
        age, limit = words.seconds(dump.age_s), words.seconds(limit_s)
        summary, since = f"newest dump is {age} old > {limit}", view.ago(dump.age_s - limit_s)
        yield Hit("dump", Severity.P3, summary, age, limit, since=since)


@rule("dump", panel="postgres", section=sections.POSTGRES)
def dump_unreadable(view: View, dump: Dump) -> Iterator[Hit]:
    """The newest dump cannot be restored."""
    if dump.is_readable is False:
        yield Hit("dump", Severity.P3, "newest dump does not parse: it cannot be restored", "unreadable", "parses")


RULES = (
    postgres_tables,
    postgres_recovery,
    postgres_blocked,
    postgres_connections,
    database_gone,
    database_shut,
    dump_old,
    dump_unreadable,
)
