"""Which numbers of a snapshot become series: unknown stays unknown, never 0."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from cockpit.model.sample import Sample
from cockpit.model.snapshot import Snapshot

T = TypeVar("T")
Point = tuple[str, float | None]


def points(snapshot: Snapshot) -> dict[str, float | None]:
    """One point of each series; None where its source does not answer."""
    now = snapshot.taken_at
    found: dict[str, float | None] = {}
    for part in (_flow, _feeds, _redis, _risk, _postgres, _venues, _others):
        found.update(part(snapshot, now))
    return found


def _flow(snapshot: Snapshot, now: float) -> Iterator[Point]:
    flow = _live(snapshot.flow, now)
    for label in ("incoming", "validated", "rejected", "fills"):
        stream = flow.stream(label) if flow else None
        yield f"{label}_per_s", stream.rate_per_s if stream else None
    yield "in_flight", flow.in_flight if flow else None


def _feeds(snapshot: Snapshot, now: float) -> Iterator[Point]:
    feeds = _live(snapshot.feeds, now)
    for feed in feeds.feeds if feeds else ():
        yield f"feed_lag_ms:{feed.name}", feed.lag_p95_ms
        yield f"feed_rate:{feed.name}", feed.tick_rate_per_s


def _redis(snapshot: Snapshot, now: float) -> Iterator[Point]:
    redis = _live(snapshot.redis, now)
    yield "redis_used_bytes", redis.used_bytes if redis else None
    yield "redis_ops_per_s", redis.ops_per_s if redis else None
    yield "redis_round_trip_ms", redis.round_trip_ms if redis else None


def _risk(snapshot: Snapshot, now: float) -> Iterator[Point]:
    risk = _live(snapshot.risk, now)
    yield "risk_var_99", risk.var_99 if risk else None
    yield "risk_es_975", risk.es_975 if risk else None
    yield "risk_drawdown_pct", risk.drawdown_pct if risk else None
    yield "risk_gross_usd", risk.gross_usd if risk else None
    yield "risk_pnl_day", risk.pnl_day if risk else None


def _postgres(snapshot: Snapshot, now: float) -> Iterator[Point]:
    postgres = _live(snapshot.postgres, now)
    yield "pg_commits_per_s", postgres.commits_per_s if postgres else None
    yield "pg_connections", postgres.connections if postgres else None
    yield "pg_size_bytes", postgres.size_bytes if postgres else None


def _venues(snapshot: Snapshot, now: float) -> Iterator[Point]:
    for venue in _live(snapshot.venues, now) or ():
        yield f"venue_latency_ms:{venue.name}", venue.latency_ms
    for reach in _live(snapshot.reach, now) or ():
        yield f"reach_ms:{reach.venue}", reach.took_ms if reach.is_up else None


def _others(snapshot: Snapshot, now: float) -> Iterator[Point]:
    alerts = _live(snapshot.alerts, now)
    yield "alerts_firing", alerts.count("firing") if alerts else None
    kubernetes = _live(snapshot.kubernetes, now)
    yield "pods_ready", sum(deployment.ready for deployment in kubernetes.deployments) if kubernetes else None


def _live(sample: Sample[T], now: float) -> T | None:
    return sample.value if sample.is_live(now) else None
