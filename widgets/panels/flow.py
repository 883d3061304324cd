"""Order flow: what comes in, what passes risk, what is refused, what is filled; depth alone says nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from widgets.chart import LABEL, stacked
from widgets.figures import count, plural, rate, short_age
from widgets.line import Line, field, fitted, line, number
from widgets.view import EVERY_LINE, View

if TYPE_CHECKING:
    from cockpit.model.states import Group, OrderFlow, Stream


def lines(view: View, width: int, height: int) -> list[Line]:
    """A table of the streams, the orders in flight, and where there is room each consumer group."""
    flow = view.snapshot.flow.value
    if flow is None:
        return []
    if height <= len(flow.streams) and height < EVERY_LINE:
        # Of thousands only those are put into words that are seen.
        return [_header(width), *(_stream(flow, stream, width) for stream in flow.streams[: height - 1])][:height]
    rows = [_header(width), *(_stream(flow, stream, width) for stream in flow.streams), _in_flight(flow)]
    if height >= len(rows) + 8:
        rows.extend(_groups(flow, width))
    else:
        rows.extend(_troubles(flow))
    series = (
        ("fills/s", view.trend("fills_per_s"), None, rate, 0.0),
        ("in /s", view.trend("incoming_per_s"), None, rate, 0.0),
    )
    return stacked(rows, width, height, *[entry for entry in series if entry[1]])


def _columns(width: int) -> tuple[int, int, int, int]:
    spare = max(0, width - LABEL - 27) // 4
    return 8 + spare, 6 + spare, 7 + spare, 6 + spare


def _header(width: int) -> Line:
    names = ("depth", "+/s", "newest", "lag")
    return line(" " * LABEL, *(number(name, size, "label") for name, size in zip(names, _columns(width), strict=True)))


def _stream(flow: OrderFlow, stream: Stream, width: int) -> Line:
    depth, per_s, newest, lag = _columns(width)
    if stream.depth is None:
        if stream.fault is not None:
            return line(field(stream.label, LABEL, "text"), (f" unreadable: {stream.fault}", "unknown"))
        return line(field(stream.label, LABEL, "text"), number("absent", depth, "unknown"))
    waiting, ink = lag_of(stream)
    return line(
        field(stream.label, LABEL, "text"),
        number(count(stream.depth), depth),
        number(rate(stream.rate_per_s), per_s),
        number(short_age(flow.age_s(stream)), newest, "text"),
        number(waiting, lag, ink),
    )


def lag_of(stream: Stream) -> tuple[str, str]:
    """The worst lag of the stream's groups; unknown is not 0."""
    if not stream.groups:
        return "–", "dim"
    if _has_lost(stream):
        return "LOST", "crit"
    lags = [group.lag for group in stream.groups]
    if None in lags:
        return "?", "unknown"
    worst = max(stream.groups, key=lambda group: group.lag or 0)
    return _capped(worst), "warn" if (worst.lag or 0) >= 100 else "value"


def _has_lost(stream: Stream) -> bool:
    return any(group.has_lost_entries for group in stream.groups)


def _capped(group: Group) -> str:
    return "?" if group.lag is None else f"{group.lag:,}+" if group.is_lag_capped else f"{group.lag:,}"


def _in_flight(flow: OrderFlow) -> Line:
    return line(
        field("in flight", LABEL + 1, "label"),
        (count(flow.in_flight), "value"),
        ("   oldest ", "label"),
        (short_age(flow.oldest_in_flight_s), "value"),
    )


def _troubles(flow: OrderFlow) -> list[Line]:
    return [
        line((f"group {group.name} lost unread entries of {stream.label}", "crit"))
        for stream in flow.streams
        for group in stream.groups
        if group.has_lost_entries
    ]


def _groups(flow: OrderFlow, width: int) -> list[Line]:
    name = max(12, min(24, width - 20))
    head = (("lag", 5), ("pending", 8), ("oldest", 7))
    rows: list[Line] = [(), line(field("group", name, "label"), *(number(each, size, "label") for each, size in head))]
    for stream in flow.streams:
        for group in stream.groups:
            ink = "unknown" if group.lag is None else "warn" if group.lag >= 100 else "value"
            row = line(
                field(f"{group.name} of {stream.label}" if name > 20 else f"{group.name}/{stream.label}", name, "text"),
                number(_capped(group), 5, ink),
                number(count(group.pending), 8),
                number(short_age(group.oldest_pending_s), 7, "text"),
            )
            rows.append(row if width < name + 34 else (*row, (f"  {plural(group.consumers, 'consumer')}", "label")))
            if group.has_lost_entries:
                rows.append(line(("  entries were trimmed before it read them", "crit")))
    return [*rows, ()]


def summary(view: View, width: int) -> Line:
    """Rates and what is in flight."""
    flow = view.snapshot.flow.value
    if flow is None:
        return ()
    short = {"incoming": "in", "validated": "val", "rejected": "rej"}
    parts = [
        line((f"{short.get(stream.label, stream.label)} ", "label"), (f"{rate(stream.rate_per_s)}/s", "value"))
        for stream in flow.streams[:width]
    ]
    lost = [line((f"{stream.label} LOST entries", "crit")) for stream in flow.streams if _has_lost(stream)]
    in_flight = line(("in flight ", "label"), (count(flow.in_flight), "value"))
    return fitted([*lost, *parts[:2], *parts[3:], in_flight, *parts[2:3]], width)
