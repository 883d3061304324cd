"""Feeds: percentiles, rates and silences from one reading to the next."""

from __future__ import annotations

from typing import Any

from redis_readings import NOW_MS, SETTINGS, a_reading, a_stream

from cockpit.clients.redis_reading import KeyFault
from cockpit.model.states import Feed
from cockpit.probes.feeds import NO_MEMORY, percentile, read_feeds
from cockpit.probes.streams import NONE_LOST


class Watch:
    """One feed over several readings."""

    def __init__(self) -> None:
        self.memory = NO_MEMORY
        self.newest_ms = NOW_MS
        self.before_ms: int | None = None

    def see(self, now_ms: int, ticks: tuple[tuple[int, int | None], ...] = (), **parts: Any) -> Feed:
        if ticks:
            self.newest_ms = NOW_MS + ticks[-1][0]
        absolute = tuple((NOW_MS + at, None if lag is None else NOW_MS + at - lag) for at, lag in ticks)
        facts = {"ticks": absolute, "new": len(ticks), "last_id": f"{self.newest_ms}-0"} | parts
        reading = a_reading(
            now_ms=NOW_MS + now_ms, before_ms=self.before_ms, streams={"ticks.yahoo": a_stream(**facts)}
        )
        feeds, self.memory = read_feeds(reading, self.memory, NONE_LOST, SETTINGS)
        self.before_ms = NOW_MS + now_ms
        return feeds.feeds[0]


def every(start_ms: int, end_ms: int, step_ms: int, lag_ms: int | None) -> tuple[tuple[int, int | None], ...]:
    return tuple((at, lag_ms) for at in range(start_ms, end_ms, step_ms))


def test_percentiles_are_nearest_rank() -> None:
    hundred = [float(n) for n in range(1, 101)]
    assert (percentile(hundred, 0.5), percentile(hundred, 0.95)) == (50.0, 95.0)
    assert percentile([7.0], 0.95) == 7.0


def test_lag_follows_a_feed_that_becomes_late_and_heals() -> None:
    watch = Watch()
    assert watch.see(0, every(-1000, 0, 10, 20)).lag_p95_ms == 20.0
    assert watch.see(1000, every(0, 1000, 10, 320)).lag_p95_ms == 320.0
    assert watch.see(2000, every(1000, 2000, 10, 20)).lag_p95_ms == 20.0, "healed within a second"


def test_a_slow_feed_is_judged_by_its_last_40_ticks_of_10_s() -> None:
    watch = Watch()
    watch.see(0, every(-9000, 0, 200, 20))
    assert len(watch.memory["yahoo"].ticks) == 40
    watch.see(30_000, every(29_000, 30_000, 500, 20))
    assert len(watch.memory["yahoo"].ticks) == 2


def test_a_stalled_feed_keeps_its_lag_and_shows_its_age() -> None:
    watch = Watch()
    watch.see(0, every(-1000, 0, 10, 20))
    feed = watch.see(30_000)
    assert (feed.lag_p95_ms, feed.tick_rate_per_s) == (20.0, 0.0)
    assert feed.newest_age_s is not None and feed.newest_age_s >= 30.0


def test_a_silence_counts_once_while_it_goes_on_and_after() -> None:
    watch = Watch()
    assert watch.see(0, every(-900, 0, 100, 5)).gaps == 0
    assert watch.see(800).gaps == 0
    assert (watch.see(1500).gaps, watch.see(2500).gaps) == (1, 1)
    feed = watch.see(3500, every(3000, 3500, 100, 5))
    assert (feed.gaps, feed.last_gap_age_s) == (1, 0.5)
    assert watch.see(4000, every(3500, 4000, 100, 5)).last_gap_age_s == 1.0


def test_silences_between_the_ticks_of_one_reading() -> None:
    watch = Watch()
    watch.see(0, every(-900, 0, 100, 5))
    feed = watch.see(5000, (*every(0, 500, 100, 5), *every(2000, 2500, 100, 5), *every(4500, 5000, 100, 5)))
    assert (feed.gaps, feed.last_gap_age_s) == (2, 0.5)


def test_ticks_left_out_are_no_silence() -> None:
    watch = Watch()
    watch.see(0, every(-900, 0, 100, 5))
    assert watch.see(60_000, every(59_500, 60_000, 1, 5), since_ms=NOW_MS + 59_500).gaps == 0


def test_a_stream_made_anew_starts_over_without_a_silence() -> None:
    watch = Watch()
    watch.see(0, every(-900, 0, 100, 5))
    feed = watch.see(1000, (), new=None, last_id=f"{NOW_MS + 990}-0")
    assert (feed.gaps, feed.tick_rate_per_s) == (0, None)


def test_ticks_without_a_time_have_no_lag() -> None:
    feed = Watch().see(0, every(-900, 0, 100, None))
    assert (feed.lag_p50_ms, feed.lag_p95_ms) == (None, None)
    mixed = Watch().see(0, (*every(-900, -450, 100, None), *every(-450, 0, 100, 7)))
    assert mixed.lag_p95_ms == 7.0


def test_missing_and_unreadable_feeds_are_unknown() -> None:
    reading = a_reading(streams={"ticks.moneycontrol": KeyFault("it is a string, not a stream")})
    feeds, _ = read_feeds(reading, NO_MEMORY, NONE_LOST, SETTINGS)
    assert [(one.stream.depth, one.lag_p95_ms, one.newest_age_s) for one in feeds.feeds] == [(None, None, None)] * 2
    assert (feeds.active, feeds.candle_age_s, feeds.candles_missing) == (None, None, None)


def test_what_ingestion_says() -> None:
    hashes = {
        "ingest:active": {"feed": "yahoo"},
        "candles:status": {
            "interval_s": "5",
            "last_ms": str(NOW_MS - 4000),
            "missing": "2",
            "unfillable": "132",
            "unfillable_ms": str(NOW_MS - 60_000),
        },
    }
    feeds, _ = read_feeds(a_reading(hashes=hashes), NO_MEMORY, NONE_LOST, SETTINGS)
    assert (feeds.active, feeds.candle_interval_s, feeds.candle_age_s, feeds.candles_missing) == ("yahoo", 5.0, 4.0, 2)
    assert (feeds.candles_lost, feeds.candles_lost_age_s) == (132, 60.0)
