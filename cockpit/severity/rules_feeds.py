"""Market data: late, silent or gappy feeds, the registry, and the candles made of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cockpit.model.exchange import local
from cockpit.model.severity import Severity
from cockpit.severity import sections, slow_redis, words
from cockpit.severity.rule import Hit, View, rule
from cockpit.severity.rules_trading import behind

if TYPE_CHECKING:
    from cockpit.model.states import Feed, Feeds, Registry

UNCOUNTED = "the candle aggregator does not say how many are missing"
LATE_CANDLES = 3.0
"""Candle intervals without a new candle."""
CANDLES = "candles"
"""What the findings on them are about."""


@rule("feeds", panel="feeds", section=sections.FEED, readings=2)
def feed_late(view: View, feeds: Feeds) -> Iterator[Hit]:
    """Ticks arrive late."""
    limit_ms = view.limits.feed_lag_ms
    for feed in feeds.feeds:
        if feed.lag_p95_ms is not None and feed.lag_p95_ms > limit_ms and not _is_silent(view, feed):
            lag, limit = words.ms(feed.lag_p95_ms), words.ms(limit_ms)
            is_shared = slow_redis.explains(view, feed.lag_p95_ms)
            summary = f"{feed.name} p95 {lag} > {limit}{slow_redis.NOTE if is_shared else ''}"
            section = sections.REDIS if is_shared else None
            yield Hit(feed.name, _severity(view, feeds, feed), summary, lag, limit, section=section)


@rule("feeds", panel="feeds", section=sections.FEED)
def feed_stalled(view: View, feeds: Feeds) -> Iterator[Hit]:
    """No ticks arrive."""
    limit = words.seconds(view.limits.feed_stalled_s)
    for feed in feeds.feeds:
        closed = closed_exchange(view, feed.name)
        if _is_silent(view, feed) and closed is not None:
            summary = f"{feed.name} silent: {closed} is closed (expected)"
            yield Hit(feed.name, Severity.P4, summary, _silence(feed), limit, is_expected=True)
        elif _is_silent(view, feed):
            age = _silence(feed)
            summary = f"{feed.name} stalled: no tick for {age}"
            since = view.ago(feed.newest_age_s)
            yield Hit(feed.name, _severity(view, feeds, feed), summary, age, limit, since=since)


@rule("feeds", panel="feeds", section=sections.FEED)
def feed_unreadable(view: View, feeds: Feeds) -> Iterator[Hit]:
    """Whether ticks arrive cannot be read."""
    for feed in feeds.feeds:
        fault = feed.stream.fault
        if fault is not None:
            summary = f"{feed.name}: {feed.stream.name} unreadable: {fault}"
            yield Hit(feed.name, _severity(view, feeds, feed), summary, fault, "readable")


@rule("feeds", panel="feeds", section=sections.FEED)
def feed_gappy(view: View, feeds: Feeds) -> Iterator[Hit]:
    """Ticks come with silences in between."""
    limit = words.seconds(view.settings.feeds.gap_s)
    for feed in feeds.feeds:
        age_s = feed.last_gap_age_s
        if closed_exchange(view, feed.name) is not None:
            continue  # hardly anybody trades: silences are what is to be expected
        if feed.gaps > 0 and age_s is not None and age_s < view.limits.gap_recent_s and not _is_silent(view, feed):
            summary = f"{feed.name} gappy: {feed.gaps} silences over {limit}"
            yield Hit(feed.name, _severity(view, feeds, feed), summary, f"{feed.gaps} gaps", limit)


@rule("registry", panel="feeds", section=sections.FEED)
def feed_not_switched(view: View, registry: Registry) -> Iterator[Hit]:
    """The registry names another feed than the one that ingestion runs on."""
    sample = view.snapshot.feeds
    active = sample.value.active if sample.value and sample.is_live(view.now) else None
    if active is not None and active != registry.primary:
        yield Hit(
            registry.primary,
            Severity.P2,
            f"registry says {registry.primary}, ingestion runs on {active}",
            active,
            registry.primary,
        )


@rule("feeds", panel="feeds", section=sections.FEED)
def ticks_behind(view: View, feeds: Feeds) -> Iterator[Hit]:
    """A worker does not keep up with the ticks."""
    for feed in feeds.feeds:
        yield from behind(view, feed.stream)


@rule("feeds", panel="feeds", section=sections.FEED)
def ticks_lost(view: View, feeds: Feeds) -> Iterator[Hit]:
    """Ticks were trimmed before the candle aggregator read them."""
    for feed in feeds.feeds:
        for group in feed.stream.groups:
            if group.has_lost_entries:
                summary = f"{group.name} lost ticks of {feed.name}: trimmed unread"
                yield Hit(f"{feed.name}/{group.name}", Severity.P3, summary, "trimmed unread", "none")


@rule("feeds", panel="feeds", section=sections.FEED)
def candles_missing(view: View, feeds: Feeds) -> Iterator[Hit]:
    """There are holes in the candles, or nobody says any more whether there are."""
    missing, limit = feeds.candles_missing, view.limits.candles_missing
    if missing is None:
        # A platform without an aggregator says nothing of candles at all, and never has.
        if feeds.candle_age_s is not None or (candles_missing.name, CANDLES) in view.before:
            yield Hit(CANDLES, Severity.P3, UNCOUNTED, "unknown", f"{limit:,}")
    elif missing > limit:
        noun = "candle" if missing == 1 else "candles"
        yield Hit(CANDLES, Severity.P3, f"{missing:,} {noun} missing", f"{missing:,}", f"{limit:,}")


@rule("feeds", panel="feeds", section=sections.FEED)
def candles_late(view: View, feeds: Feeds) -> Iterator[Hit]:
    """No new candle for several intervals."""
    interval_s, age_s = feeds.candle_interval_s, feeds.candle_age_s
    if closed_exchange(view, primary_feed(view, feeds)) is not None:
        return
    if interval_s and age_s is not None and age_s > LATE_CANDLES * interval_s:
        limit = words.seconds(LATE_CANDLES * interval_s)
        yield Hit(CANDLES, Severity.P3, f"no new candle for {words.seconds(age_s)}", words.seconds(age_s), limit)


def closed_exchange(view: View, feed: str | None) -> str | None:
    """The exchange of this feed, while it is known to be closed; None where it is open or nobody says which it is."""
    name = view.settings.feeds.exchanges.get(feed or "")
    found = local(name, view.now, view.settings.holidays.get(name, ())) if name else None
    return name if found is not None and not found[1] else None


def primary_feed(view: View, feeds: Feeds) -> str | None:
    """The feed that trading sees: what ingestion says, else the registry; None where neither does."""
    registry = view.snapshot.registry.value
    return feeds.active or (registry.primary if registry else None)


def _severity(view: View, feeds: Feeds, feed: Feed) -> Severity:
    """A backup that is ill hurts nobody yet; with no known primary every feed may be it."""
    primary = primary_feed(view, feeds)
    return Severity.P2 if primary is None or feed.name == primary else Severity.P3


def _silence(feed: Feed) -> str:
    """For how long there was no tick; one that lies ahead of the clock tells nothing."""
    if feed.newest_age_s is not None:
        return words.seconds(feed.newest_age_s)
    return "an unknown time (clock ahead)" if feed.stream.depth else "ever"


def _is_silent(view: View, feed: Feed) -> bool:
    if feed.stream.fault is not None:
        return False
    return feed.newest_age_s is None or feed.newest_age_s > view.limits.feed_stalled_s


RULES = (
    feed_late,
    feed_stalled,
    feed_unreadable,
    feed_gappy,
    feed_not_switched,
    ticks_behind,
    ticks_lost,
    candles_missing,
    candles_late,
)
