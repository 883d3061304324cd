"""Brokers: who is up, who takes the orders, and what will soon stop working."""

from __future__ import annotations

from typing import TYPE_CHECKING

from widgets.chart import LABEL, stacked
from widgets.figures import age, milliseconds, short_age
from widgets.line import Line, field, fitted, line, listing, number, wrapped
from widgets.view import View

if TYPE_CHECKING:
    from cockpit.model.states import Reach, Venue

_MARKS = {"up": ("●", "ok"), "degraded": ("▲", "warn"), "down": ("■", "crit")}


def mark(status: str) -> tuple[str, str]:
    """Glyph and ink of a venue's status; what is not known is marked as such."""
    return _MARKS.get(status, ("?", "unknown"))


def lines(view: View, width: int, height: int) -> list[Line]:
    """The venues, then routes, tokens and resets."""
    venues = view.snapshot.venues.value or ()
    rows: list[Line] = []
    for venue in venues:
        rows.extend(_venue(venue, width))
    rows.extend(_routes(view, venues, width))
    rows.extend(probes(view, width))
    rows.extend(_deadlines(view, venues))
    series = [(f"{v.name} latency", view.trend(f"venue_latency_ms:{v.name}"), 250.0, milliseconds, 0.0) for v in venues]
    return stacked(rows, width, height, *[entry for entry in series if entry[1]])


def _venue(venue: Venue, width: int) -> list[Line]:
    glyph, ink = mark(venue.status)
    name = width - 28
    row = line(
        (f"{glyph} ", ink),
        field(venue.name, name, "value"),
        field(venue.status, 9, ink),
        number(milliseconds(venue.latency_ms), 8),
        number("? open" if venue.open_orders is None else f"{venue.open_orders} open", 9),
    )
    rows = [row]
    if venue.status != "up":
        words = " ".join(part for part in (venue.code, venue.message) if part)
        rows += [line("  ", (each, ink)) for each in wrapped(words, width - 2)] if words else []
    if venue.open_orders is None and venue.open_orders_last_told is not None:
        rows += [line("  ", (each, "unknown")) for each in wrapped(f"open {venue.orders_words}", width - 2)]
    return rows


def _routes(view: View, venues: tuple[Venue, ...], width: int) -> list[Line]:
    moved = [venue for venue in venues if venue.override]
    if moved:
        return [
            line(field("route", LABEL, "label"), (f"{venue.name} → {venue.override}", "warn"), (" override", "label"))
            for venue in moved
        ]
    if view.settings is None:
        return []
    pairs = [line((f"{v.name} → {v.backup}", "text")) for v in view.settings.venues if v.backup]
    return listing("backup", pairs, width) if pairs else []


def probes(view: View, width: int) -> list[Line]:
    """The cockpit's own look past the router: those that answer in one line, each failure in words of its own."""
    sample = view.snapshot.reach
    if sample.value is None:
        return [line(field("probe", LABEL, "label"), ("no answer", "unknown"))] if sample.error else []
    if not view.is_live(sample):
        old = line((f"{short_age(sample.age_s(view.now))} old", "unknown"))
        return listing("probe", [*(line((reach.venue, "stale")) for reach in sample.value), old], width)
    well = [reach for reach in sample.value if reach.is_up and not reach.is_degraded]
    up = [line((f"{r.venue} ", "text"), (milliseconds(r.took_ms), "value")) for r in well]
    rows = [row for reach in sample.value if reach not in well for row in _unreached(reach, width)]
    rows += listing("", up, width) if up else []
    head, *more = rows or [()]
    return [line(field("probe", LABEL, "label"), *head[1:]), *more] if head else []


def _unreached(reach: Reach, width: int) -> list[Line]:
    words = reach.detail if reach.detail.startswith(reach.venue) else f"{reach.venue} {reach.detail}"
    ink = "warn" if reach.is_up else "crit"
    return [line((" " * LABEL, "text"), (each, ink)) for each in wrapped(words, width - LABEL)]


def _deadlines(view: View, venues: tuple[Venue, ...]) -> list[Line]:
    rows: list[Line] = []
    for venue in venues:
        if venue.token_left_s is not None:
            left = venue.token_left_s - (view.snapshot.venues.age_s(view.now) or 0.0)
            ink = "ok" if left > 1800 else "warn" if left > 0 else "crit"
            words = f"valid {age(left)}" if left > 0 else f"EXPIRED {age(-left)} ago"
            rows.append(line(field("token", LABEL, "label"), (f"{venue.name} ", "text"), (words, ink)))
    rows.extend(
        line(field("reset", LABEL, "label"), (f"{part.name} {until(part.reset_utc, view.now)}", "text"))
        for part in (view.settings.venues if view.settings else ())
        if part.reset_utc
    )
    return rows


def until(window: str, now: float) -> str:
    """When a daily window of UTC comes, or that it is now.

    >>> until("23:45-00:45", 72000.0), until("23:45-00:45", 86000.0), until("03:00-03:10", 72000.0)
    ('in 3 h 45 m', 'NOW, until 00:45', 'in 7 h 00 m')
    """
    first, last = ((int(part[:2]) * 60 + int(part[3:])) * 60 for part in window.split("-"))
    second = now % 86400
    if (first <= second < last) if first <= last else (second >= first or second < last):
        return f"NOW, until {window[6:]}"
    return f"in {age((first - second) % 86400)}"


def summary(view: View, width: int) -> Line:
    """The venues in one line."""
    parts = []
    for venue in view.snapshot.venues.value or ():
        _, ink = mark(venue.status)
        word = milliseconds(venue.latency_ms) if venue.status == "up" and venue.latency_ms is not None else ""
        route = f" → {venue.override}" if venue.override else ""
        parts.append(line((f"{venue.name} ", "text"), (venue.status, ink), (f" {word}".rstrip(), "value"), route))
    return fitted(parts, width)
