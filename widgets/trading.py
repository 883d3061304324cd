"""Is trading ACTIVE, HALTED or UNKNOWN: the first question, answered in one word and with its evidence."""

from __future__ import annotations

from dataclasses import dataclass

from widgets.figures import age, count, plural
from widgets.line import Line, joined, line
from widgets.view import View


@dataclass(frozen=True, slots=True)
class Trading:
    """The word, how it looks, and what is known about it."""

    word: str
    glyph: str
    block: str
    """Ink of the word where it stands in a line."""
    fill: str
    """Ink of the band."""
    big: str
    """Ink of the word in large letters."""
    since_s: float | None = None
    by: str | None = None
    reason: str | None = None


UNKNOWN = Trading("UNKNOWN", "?", "block_unknown", "unknown_fill", "unknown_big")


def trading(view: View | None) -> Trading:
    """What the kill switch says, unless its answer is too old to be believed."""
    if view is None:
        return UNKNOWN
    sample = view.snapshot.kill_switch
    switch = sample.value
    if switch is None or not view.is_live(sample):
        return UNKNOWN
    since = None if switch.since is None else max(0.0, view.now - switch.since)
    if switch.is_engaged:
        return Trading("HALTED", "■", "block_crit", "halted", "halted_big", since, switch.by, switch.reason)
    return Trading("ACTIVE", "●", "block_ok", "text", "active_big", since, switch.by, switch.reason)


def told(view: View | None, readiness: Line) -> tuple[Line, Line, Line]:
    """Three lines beside the word: since when and by whom, why or how much, and what a halt would do."""
    if view is None:
        return (), (), ()
    state = trading(view)
    halt = line("halt ", *readiness) if readiness else ()
    if state.word == "HALTED":
        return _halted(state), line(f"why: {state.reason or 'no reason given'}"), not_flat(view)
    if state.word == "ACTIVE":
        return _active(view, state), moving(view), halt
    return _unknown(view), line((_error(view), "text")), halt


def _active(view: View, state: Trading) -> Line:
    switch = view.snapshot.kill_switch.value
    if switch is not None and not switch.is_present:
        return line(("trading is enabled: the kill switch was never set", "value"))
    if state.since_s is None:
        return line(("trading is enabled", "value"))
    by = f", released by {state.by}" if state.by else ""
    return line((f"trading is enabled for {age(state.since_s)}{by}", "value"))


def _halted(state: Trading) -> Line:
    since = f"halted for {age(state.since_s)}" if state.since_s is not None else "halted"
    return line(f"{since}, by {state.by or 'somebody unnamed'}")


def _unknown(view: View) -> Line:
    sample = view.snapshot.kill_switch
    if sample.value is None:
        return line("nobody can say whether orders pass: Redis has not answered yet")
    last = "HALTED" if sample.value.is_engaged else "ACTIVE"
    return line(f"last known {last}, {age(sample.age_s(view.now))} ago: do not rely on it")


def _error(view: View) -> str:
    error = view.snapshot.kill_switch.error
    return f"Redis: {error}" if error else "no answer yet"


def moving(view: View) -> Line:
    """What passes through right now."""
    sample = view.snapshot.flow
    if sample.value is None or not view.is_live(sample):
        return line(("order flow unknown", "unknown"))
    fills = sample.value.stream("fills")
    rate = fills.rate_per_s if fills else None
    parts = [
        line((count(rate), "value"), (" fills a second", "label")),
        line((count(sample.value.in_flight), "value"), (" in flight", "label")),
        *_exposure(view),
    ]
    return joined(parts)


def _exposure(view: View) -> list[Line]:
    parts: list[Line] = []
    venues, risk = view.snapshot.venues, view.snapshot.risk
    if venues.value is not None and view.is_live(venues):
        known = [venue.open_orders for venue in venues.value if venue.open_orders is not None]
        parts.append(line((count(sum(known)), "value"), (" open orders", "label")))
    if risk.value is not None and view.is_live(risk):
        held = sum(1 for position in risk.value.positions if position.qty)
        parts.append(line((plural(held, "position"), "value")))
    return parts


def not_flat(view: View) -> Line:
    """Halted is not cancelled is not flat: what is still out there."""
    parts: list[str] = []
    venues, flow, risk = view.snapshot.venues, view.snapshot.flow, view.snapshot.risk
    if venues.value is None or not view.is_live(venues):
        parts.append("open orders unknown")
    elif known := [venue.open_orders for venue in venues.value if venue.open_orders is not None]:
        parts.append(f"not cancelled: {plural(sum(known), 'open order')}" if sum(known) else "no open orders")
    if flow.value is not None and view.is_live(flow):
        parts.append(f"{count(flow.value.in_flight)} in flight")
    if risk.value is None or not view.is_live(risk):
        parts.append("positions unknown")
    else:
        held = sum(1 for position in risk.value.positions if position.qty)
        parts.append(f"not flat: {plural(held, 'position')}" if held else "flat")
    return line(" · ".join(parts))
