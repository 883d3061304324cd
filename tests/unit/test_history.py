"""An hour of points: unknown stays unknown, old points go, names from outside are bounded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from cockpit.model.sample import Sample
from cockpit.model.snapshot import Snapshot
from cockpit.model.world import World
from cockpit.observe.history import MOST_SERIES, History
from cockpit.observe.trends import points
from tests.unit.healthy import dead, snapshot


def test_a_series_that_comes_later_was_unknown_before() -> None:
    history = History(kept=4, shown=3)
    history.add(1.0, {"a": 1.0})
    history.add(2.0, {"a": None, "b": 2.0})
    history.add(3.0, {"b": 3.0})
    assert history.series("a") == ((1.0, 1.0), (2.0, None), (3.0, None))
    assert history.series("b") == ((1.0, None), (2.0, 2.0), (3.0, 3.0))
    assert history.trends() == {"a": (1.0, None, None), "b": (None, 2.0, 3.0)}
    assert history.series("nobody") == ()


@given(some.integers(1, 30), some.integers(1, 10), some.integers(1, 10))
def test_ring_keeps_the_newest(count: int, kept: int, shown: int) -> None:
    history = History(kept=kept, shown=min(shown, kept))
    for at in range(count):
        history.add(float(at), {"a": at * 2.0})
    newest = [float(at) for at in range(count)][-kept:]
    assert [at for at, _ in history.series("a")] == newest
    assert [value for _, value in history.series("a")] == [at * 2 for at in newest]
    assert history.trends()["a"] == tuple(at * 2 for at in newest)[-min(shown, kept) :]


def test_names_from_outside_are_bounded() -> None:
    history = History(kept=2, shown=2)
    history.add(0.0, {f"venue_latency_ms:{index}": 1.0 for index in range(1000)})
    assert len(history.names()) == MOST_SERIES


def test_points_of_a_healthy_snapshot() -> None:
    found = points(snapshot())
    for name in (
        "fills_per_s", "validated_per_s", "incoming_per_s", "rejected_per_s", "in_flight", "feed_lag_ms:yahoo",
        "feed_rate:yahoo", "redis_used_bytes", "redis_ops_per_s", "redis_round_trip_ms", "risk_var_99", "risk_es_975",
        "risk_drawdown_pct", "risk_gross_usd", "risk_pnl_day", "pg_commits_per_s", "pg_connections", "pg_size_bytes",
        "venue_latency_ms:IBKR", "alerts_firing", "pods_ready", "reach_ms:IBKR",
    ):  # fmt: skip
        assert found[name] is not None, name


def test_points_of_a_silent_backend_are_unknown() -> None:
    found = points(snapshot(flow=dead(), postgres=dead(), redis=Sample()))
    assert found["fills_per_s"] is None
    assert found["pg_connections"] is None
    assert found["redis_used_bytes"] is None
    assert not any(value is not None for value in points(Snapshot(0, 0.0, World.LIVE, "x")).values())
