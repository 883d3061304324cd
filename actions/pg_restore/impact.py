"""What a restore loses and costs: rows and minutes that the dump lacks, sessions that are cut off, room."""

from __future__ import annotations

from collections.abc import Iterator

from actions.pg_restore.server_checks import sessions
from cockpit.clients.ledger import count_since
from cockpit.config import Settings
from cockpit.errors import BackendError
from cockpit.model.backends import Dump, DumpContents, PostgresServer
from cockpit.model.snapshot import Snapshot

MOST_TABLES = 8


def impact(settings: Settings, snapshot: Snapshot, now: float) -> Iterator[str]:
    """One line a fact."""
    dump, server, databases = snapshot.dump.value, snapshot.postgres.value, snapshot.databases.value
    if dump is not None:
        begun_at = begun(dump, now)
        yield f"loses what was written since the dump was begun, {_span(now - begun_at)} ago"
        yield from _tables(dump, server)
        yield from _ledger(settings, begun_at)
    current = databases.current if databases is not None else None
    if databases is not None and current is None:
        yield f"there is no {databases.wanted} now: it is made anew"
    if current is not None:
        yield f"{sessions(current)} cut off at the swap, for less than a second"
        yield f"the old one, with all that the dump lacks, is kept as {current.name}_before_<stamp> until it is dropped"


def begun(dump: Dump, now: float) -> float:
    """When the dump was begun: what came later is not in it."""
    return begun_at(dump.contents, now - dump.age_s)


def begun_at(contents: DumpContents | None, ended_at: float) -> float:
    """When a dump was begun that was written to its end at `ended_at`.

    An archive says that in a local time without its zone: believed only where it fits the file's own time.
    """
    said = contents.begun_at if contents is not None else None
    return said if said is not None and ended_at - 6 * 3600 <= said <= ended_at + 2.0 else ended_at


def _tables(dump: Dump, server: PostgresServer | None) -> Iterator[str]:
    if dump.contents is None:
        yield "rows in the dump: not counted yet"
        return
    live = dict(server.rows) if server is not None else {}
    kept = dict(dump.contents.rows)
    gaps = sorted(kept, key=lambda name: (name in live, -(live.get(name, 0) - kept[name]), name))
    for name in gaps[:MOST_TABLES]:
        if server is None or not live:
            yield f"{name}: {kept[name]:,} rows in the dump"
        elif name not in live:
            yield f"{name}: MISSING now, {kept[name]:,} rows in the dump"
        else:
            yield f"{name}: about {live[name]:,} rows now, {kept[name]:,} in the dump{_fewer(live[name] - kept[name])}"
    if len(gaps) > MOST_TABLES:
        yield f"and {len(gaps) - MOST_TABLES} tables more"
    for name in sorted(set(live) - set(kept))[:MOST_TABLES]:
        yield f"{name}: NOT in the dump, about {live[name]:,} rows are lost"


def _fewer(count: int) -> str:
    return f": {count:,} fewer" if count > 0 else ""


def _ledger(settings: Settings, since: float) -> Iterator[str]:
    """The ledger is what they can come back from."""
    file = settings.below_root(settings.scripts.ledger)
    if not file.is_file():
        return
    try:
        count = count_since(file, int(since * 1000))
    except BackendError as error:
        yield f"the ledger cannot say what came since: {error}"
        return
    yield f"the ledger has {count:,} events since: what follows it into Postgres has to write them again"


def _span(seconds: float) -> str:
    """In words.

    >>> _span(52.0), _span(725.0), _span(90_000.0)
    ('52 s', '12 min', '25 h 0 min')
    """
    minutes = int(seconds // 60)
    if minutes >= 120:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min" if minutes >= 2 else f"{max(0.0, seconds):.0f} s"
