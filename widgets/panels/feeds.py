"""Feeds: how late and how dense the ticks are, which feed is primary, and whether candles are whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from widgets.chart import LABEL, stacked
from widgets.figures import count, milliseconds, rate, short_age
from widgets.line import Line, Span, cells, cut_text, field, fitted, line, listing, number, width_of
from widgets.view import View

if TYPE_CHECKING:
    from cockpit.model.states import Feed, Feeds


def lines(view: View, width: int, height: int) -> list[Line]:
    """A table of the feeds, the candles, the registry, and the lag of the primary feed."""
    feeds = view.snapshot.feeds.value
    if feeds is None:
        return []
    limit = _limit(view)
    rows = [_header(width), *(_feed(view, feeds, feed, width) for feed in feeds.feeds)]
    rows.extend(_gaps(feeds, width))
    rows.extend(_candles(feeds, width))
    rows.append(_registry(view, feeds))
    ordered = sorted(feeds.feeds, key=lambda feed: not is_primary(view, feeds, feed))
    series = [
        (f"{feed.name} lag", view.trend(f"feed_lag_ms:{feed.name}"), limit, milliseconds, 0.0) for feed in ordered
    ]
    return stacked(rows, width, height, *[entry for entry in series if entry[1]])


def is_primary(view: View, feeds: Feeds, feed: Feed) -> bool:
    """Whether ingestion runs on this feed: by what the platform says, else by the registry."""
    registry = view.snapshot.registry.value
    return feed.name == (feeds.active or (registry.primary if registry else None))


def _limit(view: View) -> float:
    return view.settings.thresholds.feed_lag_ms if view.settings else 100.0


def state(view: View, feed: Feed) -> tuple[str, str]:
    """Glyph and ink of a feed: silent, late, or well."""
    stalled = view.settings.thresholds.feed_stalled_s if view.settings else 2.0
    if feed.newest_age_s is None:
        return "?", "unknown"
    if feed.newest_age_s > stalled:
        return "■", "crit"
    if feed.lag_p95_ms is None:
        return "?", "unknown"
    return ("▲", "warn") if feed.lag_p95_ms > _limit(view) else ("●", "ok")


def _header(width: int) -> Line:
    return line(
        " " * (width - 20), number("p50", 5, "label"), number("p95 ms", 7, "label"), number("ticks/s", 8, "label")
    )


def _feed(view: View, feeds: Feeds, feed: Feed, width: int) -> Line:
    glyph, ink = state(view, feed)
    name = width - 20 - 2
    tag = " PRIMARY" if is_primary(view, feeds, feed) else ""
    label = line(field(feed.name, name, "value"))
    if tag:
        # On which feed trading runs matters more than the end of its name.
        shown = cut_text(feed.name, max(1, name - len(tag)))
        label = line((shown, "value"), field(tag, name - cells(shown), "accent"))
    if feed.newest_age_s is not None and ink == "crit":
        return line((f"{glyph} ", ink), *label, number(f"silent for {short_age(feed.newest_age_s)}", 20, ink))
    return line(
        (f"{glyph} ", ink),
        *label,
        number(_ms(feed.lag_p50_ms), 5),
        number(_ms(feed.lag_p95_ms), 7, ink if ink != "ok" else "value"),
        number(rate(feed.tick_rate_per_s), 8),
    )


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"


def _gaps(feeds: Feeds, width: int) -> list[Line]:
    parts, short = [], []
    for feed in sorted(feeds.feeds, key=lambda feed: -feed.gaps):
        counted = line((f"{feed.name} ", "text"), (count(feed.gaps), "value"))
        last = f", last {short_age(feed.last_gap_age_s)} ago" if feed.last_gap_age_s is not None else ""
        short.append(counted)
        parts.append(line(*counted, (last, "label")))
    rows = listing("gaps", parts, width)
    return rows if len(rows) == 1 else listing("gaps", short, width)


def _candles(feeds: Feeds, width: int) -> list[Line]:
    if feeds.candle_age_s is None and feeds.candles_missing is None:
        return []
    missing, lost = feeds.candles_missing, _lost(feeds, ", last ")
    verdict: Span | str
    if missing is None:
        verdict = ("missing ?", "unknown")
    elif missing:
        verdict = (f"{missing:,} missing", "warn")
    else:
        verdict = "" if lost else ("whole", "ok")
    ago = " ago · " if feeds.candle_age_s is not None else " · "
    last = ((short_age(feeds.candle_age_s), "value"), (ago, "label"))
    between = (", ", "label") if missing != 0 and lost else ""
    said = line(field("candles", LABEL, "label"), *last, verdict, between)
    full = (*said, *lost)
    return [full if width_of(full) <= width else (*said, *_lost(feeds, " "))]


def _lost(feeds: Feeds, before: str) -> Line:
    """Those that nobody can fill any more: no trouble that somebody could end, and no whole candles either."""
    if not feeds.candles_lost:
        return ()
    age_s = feeds.candles_lost_age_s
    ago = f"{before}{short_age(age_s)} ago" if age_s is not None else ""
    return line((f"{feeds.candles_lost:,} lost", "notice"), (ago, "label"))


def _registry(view: View, feeds: Feeds) -> Line:
    sample = view.snapshot.registry
    if sample.value is None:
        return line(field("registry", LABEL, "label"), (sample.error or "not read yet", "unknown"))
    primary, backup = sample.value.primary, sample.value.backup
    differs = feeds.active is not None and feeds.active != primary
    ink = "warn" if differs else "text"
    running = f", runs on {feeds.active}" if differs else ""
    return line(field("registry", LABEL, "label"), (f"{primary}, backup {backup}{running}", ink))


def summary(view: View, width: int) -> Line:
    """Each feed with its p95."""
    feeds = view.snapshot.feeds.value
    if feeds is None:
        return ()
    parts = []
    for feed in sorted(feeds.feeds, key=lambda feed: not is_primary(view, feeds, feed)):
        _, ink = state(view, feed)
        tag = " PRIMARY" if is_primary(view, feeds, feed) else ""
        word = f"silent {short_age(feed.newest_age_s)}" if ink == "crit" else f"p95 {_ms(feed.lag_p95_ms)} ms"
        parts.append(line((feed.name, "text"), (tag, "accent"), (f" {word}", "value" if ink == "ok" else ink)))
    return fitted([*parts, _holes(feeds)], width)


def _holes(feeds: Feeds) -> Line:
    if feeds.candles_missing is None and feeds.candle_age_s is not None:
        return line(("candles missing ?", "unknown"))
    if feeds.candles_missing:
        return line((f"{feeds.candles_missing} candles missing", "warn"))
    return line((f"{feeds.candles_lost:,} candles lost", "notice")) if feeds.candles_lost else ()
