"""Is trading ACTIVE, HALTED or UNKNOWN: the first question, answered in one word and with its evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len

from widgets.figures import age, count, plural, rate
from widgets.line import Line, cut_text, fitted, line
from widgets.panels.findings import clock
from widgets.passing import why_none_passes
from widgets.view import View

if TYPE_CHECKING:
    from cockpit.model.latch import Latch
    from cockpit.model.states import Risk


class Trading(NamedTuple):
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


def told(view: View | None, readiness: Line, width: int) -> tuple[Line, Line, Line]:
    """Three lines beside the word: since when and by whom, why or how much, and what a halt would do."""
    if view is None:
        return (), (), ()
    state = trading(view)
    halt = line(("halt ", "label"), *readiness) if readiness else ()
    if state.word == "HALTED":
        return (
            _halted(state, view.snapshot.latch, width),
            line(state.reason or "no reason given"),
            not_flat(view, width),
        )
    if state.word == "ACTIVE":
        return _waiting(view, width) or _active(view, state, width), moving(view, width), halt
    return _waiting(view, width) or _unknown(view, width), line(_error(view)), halt


def _first_that_fits(variants: list[str], width: int) -> Line:
    return line((fits(variants, width), "value"))


def fits(variants: list[str], width: int) -> str:
    """The first that is short enough, else the last."""
    return next((each for each in variants if cell_len(each) <= width), variants[-1])


def _waiting(view: View, width: int) -> Line:
    """A halt that Redis has not taken: worse to miss than anything else that could stand here."""
    latch, sample = view.snapshot.latch, view.snapshot.kill_switch
    if latch is None or not latch.waits(sample.value if view.is_live(sample) else None):
        return ()
    since = f"since {clock(latch.wish_ms / 1000)}Z"
    variants = [f"HALT WAITING, by {latch.by} {since}", f"HALT WAITING, {cut_text(latch.by, 12)} {since}"]
    return line((fits([*variants, f"HALT WAITING {since}", "HALT WAITING"], width), "crit"))


def _active(view: View, state: Trading, width: int) -> Line:
    switch = view.snapshot.kill_switch.value
    gone = next((one for one in view.snapshot.assessment.findings if one.rule == "kill_switch_gone"), None)
    if gone is not None:
        return line((fits([gone.summary, "THE HALT IS GONE"], width), "crit"))
    why = why_none_passes(view)
    if why is not None:
        return line(
            (
                fits([f"no halt, but no order passes: {why}", f"no order passes: {why}", "no order passes"], width),
                "warn",
            )
        )
    if switch is not None and not switch.is_present:
        variants = ["trading is enabled: the kill switch's key is missing", "trading is enabled: no halt is set"]
        return _first_that_fits([*variants, "no halt is set"], width)
    if state.since_s is None:
        return line(("trading is enabled", "value"))
    since = age(state.since_s)
    by = state.by or "somebody unnamed"
    variants = [f"trading is enabled for {since}, released by {by}", f"for {since}, released by {by}", f"for {since}"]
    return _first_that_fits(variants, width)


def _halted(state: Trading, latch: Latch | None, width: int) -> Line:
    by = state.by or "somebody unnamed"
    kept = "" if latch is None else ", latched"
    if state.since_s is None:
        return line(f"halted by {by}{kept}")
    since = age(state.since_s)
    long = f"halted for {since}, by {by}"
    latched = [f"{long}{kept} on this host", f"{long}{kept}"] if kept else []
    short = [long, f"{since}, by {by}", f"halted for {since}"]
    if latch is not None and latch.wanted_ms is not None:
        # Orders passed in between: that says more than where it is kept.
        wanted = f"wanted since {clock(latch.wanted_ms / 1000)}Z"
        late = [f"{long}, {wanted}", f"for {since}, {wanted}"]
        return _first_that_fits([f"{latched[0]}, {wanted}", *late, *short], width)
    return _first_that_fits([*latched, *short], width)


def _unknown(view: View, width: int) -> Line:
    sample = view.snapshot.kill_switch
    if sample.value is None:
        never = "Redis has not answered yet"
        return _first_that_fits([f"nobody can say whether orders pass: {never}", never], width)
    last = "HALTED" if sample.value.is_engaged else "ACTIVE"
    was = f"last known {last}, {age(sample.age_s(view.now))} ago"
    return _first_that_fits([f"{was}: do not rely on it", was], width)


def _error(view: View) -> str:
    error = view.snapshot.kill_switch.error
    return f"Redis: {error}" if error else "no answer yet"


def moving(view: View, width: int) -> Line:
    """What passes through right now, and what is out there."""
    sample = view.snapshot.flow
    if sample.value is None or not view.is_live(sample):
        return line(("order flow unknown", "unknown"))
    fills = sample.value.stream("fills")
    parts = [
        line((rate(fills.rate_per_s if fills else None), "value"), (" fills/s", "label")),
        line((count(sample.value.in_flight), "value"), (" in flight", "label")),
        *(line((text, "text")) for text in _exposure(view)),
    ]
    return fitted(parts, width)


def _exposure(view: View) -> list[str]:
    risk = _known_risk(view)
    return [_orders(view), "positions unknown" if risk is None else risk.held_words]


def open_orders(view: View) -> tuple[int | None, tuple[str, ...]]:
    """Orders that stand at the brokers, None where nothing is known now; and the brokers that this leaves out."""
    venues = view.snapshot.venues
    if venues.value is None or not view.is_live(venues):
        return None, ()
    counts = {venue.name: venue.open_orders for venue in venues.value}
    # A configured broker of which nothing is heard holds orders as well.
    counts = dict.fromkeys((part.name for part in view.settings.venues) if view.settings else (), None) | counts
    known = [count for count in counts.values() if count is not None]
    return sum(known) if known else None, tuple(name for name, count in counts.items() if count is None)


def _orders(view: View) -> str:
    orders, missing = open_orders(view)
    if orders is None:
        return "open orders unknown"
    if not missing:
        return plural(orders, "open order")
    where = missing[0] if len(missing) == 1 else plural(len(missing), "broker")
    return f"{orders:,}+ open orders, {where} unknown" if orders else f"open orders unknown at {where}"


def positions(view: View) -> int | None:
    """Positions that are not flat, as far as anybody knows; None where that is not known now."""
    risk = _known_risk(view)
    return None if risk is None else risk.held


def _known_risk(view: View) -> Risk | None:
    risk = view.snapshot.risk
    return risk.value if view.is_live(risk) else None


def not_flat(view: View, width: int) -> Line:
    """Halted is not cancelled is not flat: what is still out there."""
    (orders, missing), held = open_orders(view), positions(view)
    if orders == 0 and not missing and held == 0:
        return line(("no open orders, flat", "value"))
    left, kept = _exposure(view)
    long = [
        left if not orders else f"not cancelled: {left}",
        kept if held is None else "flat" if held == 0 else f"not flat: {kept}",
    ]
    return _first_that_fits([" · ".join(long), f"still {left}, {kept}", f"{left}, {kept}"], width)
