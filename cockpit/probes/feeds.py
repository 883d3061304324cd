"""The market data feeds, measured on their tick streams: lag from exchange time to Redis, rate, silences."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from types import MappingProxyType

from cockpit.clients.redis_facts import Fields, id_ms, number, time_ms, whole
from cockpit.clients.redis_reading import StreamFacts, WallReading
from cockpit.config import Settings
from cockpit.model.states import Feed, Feeds
from cockpit.probes.streams import NEVER, Lost, read_stream, refuse_if_all_fail
from cockpit.text import clean

WINDOW_MS = 1_000
"""p95 forgets a late feed only at the window's end: with two seconds a feed that had healed stood as late for three."""
FEWEST = 40
MOST_GAPS = 50
MOST_GAP_CHARS = 8000
LONGEST_MS = 10_000
"""A slow feed's window reaches back to this many ticks, but not further than this."""

Ticks = tuple[tuple[int, int | None], ...]
"""When each tick arrived in Redis and the exchange's own time in it, in ms, oldest first."""


@dataclass(frozen=True, slots=True)
class FeedMemory:
    """What must be remembered of one feed between readings; times are Redis' own, in ms."""

    ticks: Ticks = ()
    """Those that count for the percentiles."""
    newest_ms: int | None = None
    gaps: int = 0
    last_gap_ms: int | None = None
    is_silent: bool = False
    """The silence that goes on now was counted already."""


Memory = Mapping[str, FeedMemory]
NO_MEMORY: Memory = MappingProxyType({})


def read_feeds(reading: WallReading, memory: Memory, lost: Lost, settings: Settings) -> tuple[Feeds, Memory]:
    """The feeds now, and what to remember for the next reading.

    Raises:
        Refused: none of the tick streams could be read.
    """
    part = settings.redis
    assert part is not None
    keys = {name: f"{part.tick_stream_prefix}{name}" for name in settings.feeds.names}
    refuse_if_all_fail(reading, tuple(keys.values()))
    active = _fields(reading, part.active_feed_key).get("feed")
    candles = _fields(reading, part.candle_status_key)
    remembered = {
        name: remember(reading, key, memory.get(name), settings.feeds.gap_s * 1000) for name, key in keys.items()
    }
    feeds = tuple(_feed(reading, name, key, remembered[name], lost) for name, key in keys.items())
    return Feeds(
        feeds=feeds,
        active=clean(active, 40) if active else None,
        candle_interval_s=number(candles.get("interval_s")),
        candle_age_s=reading.age_s(time_ms(candles.get("last_ms"))),
        candles_missing=whole(candles.get("missing")),
        candle_gaps=gaps(candles.get("gaps")),
        candles_lost=whole(candles.get("unfillable")),
        candles_lost_age_s=reading.age_s(time_ms(candles.get("unfillable_ms"))),
    ), remembered


def gaps(said: str | None) -> tuple[str, ...]:
    """The aggregator's list of gaps, a line each.

    >>> gaps("10:00:05 - 10:00:15  2 candles each  AAPL, MSFT\\n"), gaps(None)
    (('10:00:05 - 10:00:15  2 candles each  AAPL, MSFT',), ())
    """
    return tuple(clean(text, 110) for text in (said or "")[:MOST_GAP_CHARS].splitlines()[:MOST_GAPS] if text.strip())


def _fields(reading: WallReading, key: str) -> Fields:
    """What the platform adds of its own accord: where it cannot be read it is unknown, and the feeds still stand."""
    found = reading.hashes.get(key)
    return found if isinstance(found, dict) else {}


def _feed(reading: WallReading, name: str, key: str, memory: FeedMemory, lost: Lost) -> Feed:
    stream = read_stream(reading, key, clean(name, 40), lost)
    lags = lags_of(memory.ticks)
    return Feed(
        name=clean(name, 40),
        lag_p50_ms=percentile(lags, 0.50),
        lag_p95_ms=percentile(lags, 0.95),
        tick_rate_per_s=stream.rate_per_s,
        newest_age_s=reading.age_s(stream.newest_ms),
        gaps=memory.gaps,
        last_gap_age_s=reading.age_s(memory.last_gap_ms),
        stream=stream,
    )


def lags_of(ticks: Ticks) -> list[float]:
    """How late each tick was, sorted; those without a time of their own say nothing."""
    return sorted([float(arrived - sent) for arrived, sent in ticks if sent is not None])


def window(ticks: Ticks) -> Ticks:
    """Those of the ticks, oldest first, that count for the percentiles now."""
    if not ticks:
        return ticks
    newest_ms = ticks[-1][0]
    recent = bisect_right(ticks, newest_ms - WINDOW_MS, key=_arrival)
    longest = bisect_right(ticks, newest_ms - LONGEST_MS, key=_arrival)
    return ticks[max(longest, min(recent, len(ticks) - FEWEST)) :]


def _arrival(tick: tuple[int, int | None]) -> int:
    return tick[0]


def percentile(lags: list[float], fraction: float) -> float | None:
    """The nearest-rank percentile of sorted values.

    >>> percentile([1.0, 2.0, 3.0, 100.0], 0.5), percentile([], 0.95)
    (2.0, None)
    """
    return lags[max(0, -int(-fraction * len(lags) // 1) - 1)] if lags else None


def remember(reading: WallReading, key: str, memory: FeedMemory | None, gap_ms: float) -> FeedMemory:
    """The memory after this reading; silences are counted from the first reading on."""
    facts = reading.streams.get(key)
    if not isinstance(facts, StreamFacts):
        return memory or FeedMemory()
    last_ms = None if facts.last_id == NEVER else id_ms(facts.last_id)
    if memory is None or memory.newest_ms is None or facts.new is None:
        # Nothing to compare with: the first reading, or a stream that was made anew.
        gaps = FeedMemory() if memory is None else replace(memory, is_silent=False)
        return _count_silence(replace(gaps, ticks=window(facts.ticks), newest_ms=last_ms), reading.now_ms, gap_ms)
    return _count_silence(_with_ticks(memory, facts, gap_ms), reading.now_ms, gap_ms)


def _with_ticks(memory: FeedMemory, facts: StreamFacts, gap_ms: float) -> FeedMemory:
    seen_ms = memory.newest_ms or 0
    fresh = tuple([tick for tick in facts.ticks if tick[0] > seen_ms])
    if not fresh:
        return memory
    arrivals = [arrived for arrived, _ in fresh]
    # With a silence that was counted while it went on, or with ticks left out, the first distance says nothing new.
    if not memory.is_silent and facts.since_ms is None:
        arrivals.insert(0, seen_ms)
    ended = [later for earlier, later in pairwise(arrivals) if later - earlier > gap_ms]
    newest_ms = arrivals[-1]
    ticks = window(memory.ticks + fresh)
    last_gap_ms = ended[-1] if ended else fresh[0][0] if memory.is_silent else memory.last_gap_ms
    return FeedMemory(ticks, newest_ms, memory.gaps + len(ended), last_gap_ms)


def _count_silence(memory: FeedMemory, now_ms: int, gap_ms: float) -> FeedMemory:
    """A silence counts as soon as it is too long, and its age stays 0 while it goes on."""
    if memory.newest_ms is None or now_ms - memory.newest_ms <= gap_ms:
        return memory
    return replace(memory, gaps=memory.gaps + (not memory.is_silent), last_gap_ms=now_ms, is_silent=True)
