"""Postgres: connections, who blocks whom, replication, size, and how old the newest dump is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from widgets.chart import LABEL, stacked
from widgets.figures import count, megabytes, percent, plural, rate, short_age
from widgets.line import Line, field, fitted, line
from widgets.view import View

if TYPE_CHECKING:
    from cockpit.model.backends import Blocker, PostgresServer


def lines(view: View, width: int, height: int) -> list[Line]:
    """Connections to dump; blocked sessions first, because they hurt first."""
    server = view.snapshot.postgres.value
    rows: list[Line] = []
    if server is not None:
        rows.extend(_troubles(view, server, height))
        rows.extend((_connections(server), _blocked(view, server), _size(server)))
        rows.append(_replication(server))
    rows.append(_dump(view))
    rows.extend(_others(view))
    series = (
        ("tx/s", view.trend("pg_commits_per_s"), None, rate, 0.0),
        ("conns", view.trend("pg_connections"), None, count),
    )
    return stacked(rows, width, height, *[entry for entry in series if entry[1]])


def _connections(server: PostgresServer) -> Line:
    full = server.connections / server.max_connections >= 0.9 if server.max_connections else False
    return line(
        field("conns", LABEL, "label"),
        (count(server.connections), "warn" if full else "value"),
        (" of ", "label"),
        (count(server.max_connections), "value"),
        ("   commits ", "label"),
        (f"{rate(server.commits_per_s)}/s", "value"),
    )


def _blocked(view: View, server: PostgresServer) -> Line:
    blocked = len(server.blocked)
    return line(
        field("oldest", LABEL, "label"),
        (short_age(server.oldest_transaction_s), "value"),
        ("   blocked ", "label"),
        (count(blocked), _blocked_ink(view, *server.blocked) if blocked else "ok"),
    )


def _blocked_ink(view: View, *blocked: Blocker) -> str:
    """A lock that is waited for is everyday business; one that is for long is not."""
    limit_s = view.settings.thresholds.blocked_s if view.settings else 1.0
    return "crit" if any(one.waiting_s > limit_s for one in blocked) else "notice"


def _size(server: PostgresServer) -> Line:
    wal = "–" if server.wal_bytes_per_s is None else f"{megabytes(server.wal_bytes_per_s)}/s"
    return line(
        field("size", LABEL, "label"), (megabytes(server.size_bytes), "value"), ("   WAL ", "label"), (wal, "value")
    )


def _replication(server: PostgresServer) -> Line:
    if server.is_in_recovery:
        return line(field("role", LABEL, "label"), ("standby, read-only", "warn"))
    if not server.replicas:
        return line(field("role", LABEL, "label"), ("primary", "ok"), (", no standby", "label"))
    return line(
        field("role", LABEL, "label"),
        ("primary", "ok"),
        (f", {plural(server.replicas, 'standby')} ", "label"),
        (short_age(server.replay_lag_s), "value"),
        (" behind", "label"),
    )


def _dump(view: View) -> Line:
    sample = view.snapshot.dump
    label = field("dump", LABEL, "label")
    if sample.value is None:
        return line(label, (sample.error or "not looked at yet", "unknown"))
    dump = sample.value
    word, ink = {True: ("whole", "ok"), False: ("BROKEN", "crit"), None: ("unproven", "unknown")}[dump.is_readable]
    since = dump.age_s + (sample.age_s(view.now) or 0.0)
    return line(
        label,
        (short_age(since), "value"),
        (" ago, ", "label"),
        (word, ink),
        (f", {megabytes(dump.size_bytes)}", "label"),
    )


def _others(view: View) -> list[Line]:
    """What a restore put aside or left behind: it takes room until somebody drops it."""
    found = view.snapshot.databases.value
    others = [one for one in found.found if one.name != found.wanted] if found is not None else []
    if not others:
        return []
    label = field("kept", LABEL, "label")
    more = f" and {len(others) - 1} more" if len(others) > 1 else ""
    size = sum(one.size_bytes or 0 for one in others)
    return [line(label, (others[-1].name, "value"), (more, "label"), (", ", "label"), (megabytes(size), "value"))]


def _troubles(view: View, server: PostgresServer, height: int) -> list[Line]:
    rows = []
    if server.missing_tables:
        rows.append(line(("MISSING tables: " + ", ".join(server.missing_tables), "crit")))
    many = max(1, (height - 8) // 2)
    for blocker in server.blocked[:many]:
        rows.extend(_blocker(view, blocker))
    return rows


def _blocker(view: View, blocker: Blocker) -> tuple[Line, Line]:
    holders = ", ".join(str(pid) for pid in blocker.blocked_by)
    return (
        line(
            (f"{blocker.pid} waits {short_age(blocker.waiting_s)} for {holders}", _blocked_ink(view, blocker)),
            f": {blocker.query}",
        ),
        line((f"  {holders} {blocker.blocker_state}: ", "label"), blocker.blocker_query),
    )


def summary(view: View, width: int) -> Line:
    """Connections, blockers, dump."""
    server = view.snapshot.postgres.value
    parts: list[Line] = []
    if server is not None:
        blocked = len(server.blocked)
        if server.missing_tables:
            parts.append(line(("MISSING " + ", ".join(server.missing_tables), "crit")))
        parts.append(line((f"{server.connections} of {server.max_connections}", "value"), (" conns", "label")))
        parts.append(
            line(("blocked ", "label"), (count(blocked), _blocked_ink(view, *server.blocked) if blocked else "value"))
        )
        parts.append(line((percent_of_commits(server), "text")))
    return fitted([*parts, line(("dump ", "label"), *_dump(view)[1:])], width)


def percent_of_commits(server: PostgresServer) -> str:
    """Rolled back transactions, where there are any.

    Nothing is said while none is rolled back.
    """
    if not server.rollbacks_per_s or not server.commits_per_s:
        return ""
    return f"{percent(server.rollbacks_per_s / (server.rollbacks_per_s + server.commits_per_s))} rolled back"
