"""Redis: memory against its limit, persistence, role, load; no limit is not 0 %."""

from __future__ import annotations

from typing import TYPE_CHECKING

from widgets.bars import bar
from widgets.chart import LABEL, stacked
from widgets.figures import count, megabytes, milliseconds, percent, plural, rate, short_age
from widgets.line import Line, both, field, fitted, line
from widgets.view import View

if TYPE_CHECKING:
    from cockpit.model.backends import RedisServer


def lines(view: View, width: int, height: int) -> list[Line]:
    """Memory, policy, persistence, role, load, and memory over time."""
    server = view.snapshot.redis.value
    if server is None:
        return []
    rows = [
        _memory(view, server, width),
        _policy(server),
        _persistence(server),
        _role(server),
        _load(server),
        _trip(server, width),
    ]
    rows.extend(_troubles(server))
    limit = (server.limit_bytes or 0) * _limits(view)[0] or None
    series = (
        ("memory", view.trend("redis_used_bytes"), limit, megabytes),
        ("ops/s", view.trend("redis_ops_per_s"), None, count, 0.0),
        ("round trip", view.trend("redis_round_trip_ms"), None, milliseconds),
    )
    return stacked(rows, width, height, *[entry for entry in series if entry[1]])


def _memory(view: View, server: RedisServer, width: int) -> Line:
    label = field("memory", LABEL, "label")
    if server.limit_bytes is None:
        return line(label, (megabytes(server.used_bytes), "value"), (", no limit set", "warn"))
    fraction = server.used_fraction or 0.0
    warned, full = _limits(view)
    ink = "crit" if fraction >= full else "warn" if fraction >= warned else "value"
    used = line(label, (percent(fraction), ink), (" of ", "label"), (megabytes(server.limit_bytes), "value"))
    size = max(4, width - LABEL - 17)
    return both(used, bar(fraction, size, warned, full), width)


def _limits(view: View) -> tuple[float, float]:
    """The fractions of its memory from which it is nearly full, and full."""
    if view.settings is None:
        return 0.8, 0.97
    return view.settings.thresholds.redis_memory_fraction, view.settings.thresholds.redis_full_fraction


def _policy(server: RedisServer) -> Line:
    ink = "text" if server.policy == "noeviction" else "warn"
    evicting = bool(server.evicted_per_s)
    return line(
        field("policy", LABEL, "label"),
        (server.policy, ink),
        ("  evicted ", "label"),
        (f"{rate(server.evicted_per_s)}/s", "crit" if evicting else "value"),
    )


def _persistence(server: RedisServer) -> Line:
    how, ink = _aof(server)
    if server.is_save_on is None:
        save = line(("save ?", "unknown"))
    elif not server.is_save_on:
        save = line(("save off", "text" if server.is_aof_on else "warn"))
    elif server.is_save_ok is None:
        save = line(("save ?", "unknown"))
    elif not server.is_save_ok:
        save = line(("save FAILED", "crit"))
    else:
        save = line(("save ", "label"), (short_age(server.last_save_age_s), "value"), (" ago", "label"))
    return line(field("persist", LABEL, "label"), (how, ink), (", ", "label"), *save)


def _aof(server: RedisServer) -> tuple[str, str]:
    if server.is_aof_on is None or (server.is_aof_on and server.is_aof_ok is None):
        return "AOF ?", "unknown"
    if not server.is_aof_on:
        return "AOF off", "warn"
    return ("AOF ok", "ok") if server.is_aof_ok else ("AOF FAILS", "crit")


def _role(server: RedisServer) -> Line:
    if server.role == "primary":
        replicas = "replicas unknown" if server.replicas is None else plural(server.replicas, "replica")
        return line(field("role", LABEL, "label"), ("primary", "ok"), (f", {replicas}", "label"))
    return line(field("role", LABEL, "label"), (f"{server.role}, link {server.primary_link or 'unknown'}", "crit"))


def _load(server: RedisServer) -> Line:
    return line(
        field("ops/s", LABEL, "label"),
        (count(server.ops_per_s), "value"),
        ("  clients ", "label"),
        (count(server.clients), "value"),
    )


def _trip(server: RedisServer, width: int) -> Line:
    parts = (
        line((milliseconds(server.round_trip_ms), "value")),
        line(("frag ", "label"), (megabytes(server.fragmentation_bytes), "value")),
        line(("up ", "label"), (short_age(server.uptime_s), "value")),
    )
    return line(field("trip", LABEL, "label"), *fitted(parts, width - LABEL, ("  ", "text")))


def _troubles(server: RedisServer) -> list[Line]:
    rows = []
    if server.is_loading:
        rows.append(line(("LOADING its data: not ready yet", "crit")))
    if server.refuses_writes:
        rows.append(line(("MISCONF: a save failed, writes are refused", "crit")))
    return rows


def summary(view: View, width: int) -> Line:
    """Memory, persistence, evictions."""
    server = view.snapshot.redis.value
    if server is None:
        return ()
    fraction = server.used_fraction
    memory = (
        line((f"{megabytes(server.used_bytes)}, no limit", "warn"))
        if fraction is None
        else line(
            (percent(fraction), "warn" if fraction >= _limits(view)[0] else "value"),
            (f" of {megabytes(server.limit_bytes)}", "text"),
        )
    )
    return fitted(
        [*_troubles(server), memory, _persistence(server)[1:], line((milliseconds(server.round_trip_ms), "value"))],
        width,
    )
