"""What Grafana's rules look at: one round trip to Redis for all of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

TIMEOUT_S = 0.8
TICKS_READ = 64
WINDOW_MS = 10_000
"""Ticks older than this say nothing about the latency now."""
METRICS_FRESH_MS = 10_000
FIRST_FEED = "yahoo"


@dataclass(frozen=True, slots=True)
class Readings:
    """The queries' results; None where a query returned nothing."""

    latency_p95_ms: float | None = None
    redis_memory_pct: float | None = None
    tick_age_s: float | None = None
    metrics: Mapping[str, float] | None = None
    limits: Mapping[str, float] | None = None

    def over_limit(self, name: str) -> float | None:
        """Return a risk metric as a percentage of its limit."""
        if self.metrics is None or self.limits is None or not self.limits.get(name) or name not in self.metrics:
            return None
        return 100 * self.metrics[name] / self.limits[name]


class RedisSource:
    """Reads the platform's state as a data source of Grafana does."""

    def __init__(self, port: int) -> None:
        self._redis = Redis(
            host="127.0.0.1",
            port=port,
            protocol=2,
            driver_info=None,
            decode_responses=True,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        )
        self._feed = FIRST_FEED

    async def read(self) -> Readings | None:
        """Return the readings, None when Redis does not answer."""
        pipe = self._redis.pipeline(transaction=False)
        pipe.execute_command("TIME")
        pipe.info("memory")
        pipe.hget("ingest:active", "feed")
        pipe.xrevrange(f"ticks.{self._feed}", count=TICKS_READ)
        pipe.xrevrange("risk.metrics", count=1)
        pipe.hgetall("risk:limits")
        try:
            async with asyncio.timeout(TIMEOUT_S):
                clock, memory, feed, ticks, metrics, limits = await pipe.execute()
        except (RedisError, OSError, TimeoutError):
            return None
        now_ms = int(clock[0]) * 1000 + int(clock[1]) // 1000
        if feed:
            self._feed = str(feed)
        return Readings(
            latency_p95_ms=latency_p95(ticks, now_ms),
            redis_memory_pct=100 * memory["used_memory"] / memory["maxmemory"] if memory.get("maxmemory") else None,
            tick_age_s=(now_ms - _ms(ticks[0][0])) / 1000 if ticks else None,
            metrics=fresh_metrics(metrics, now_ms),
            limits=_numbers(limits),
        )

    async def close(self) -> None:
        """Close the connection."""
        await self._redis.aclose()


def latency_p95(ticks: list[tuple[str, dict[str, str]]], now_ms: int) -> float | None:
    """Return the 95th percentile of arrival minus the exchange's time, None without recent ticks.

    >>> latency_p95([("1020-0", {"json": '{"ts_ms": 1000}'}), ("1500-1", {"json": "?"})], 2000)
    20.0
    """
    lags = []
    for entry_id, fields in ticks:
        arrived_ms = _ms(entry_id)
        if now_ms - arrived_ms > WINDOW_MS:
            break
        event = _event(fields)
        if isinstance(event.get("ts_ms"), (int, float)):
            lags.append(float(arrived_ms - event["ts_ms"]))
    return sorted(lags)[min(len(lags) - 1, int(0.95 * len(lags)))] if lags else None


def fresh_metrics(entries: list[tuple[str, dict[str, str]]], now_ms: int) -> dict[str, float] | None:
    """Return the newest risk metrics, None when they are missing or old."""
    if not entries or now_ms - _ms(entries[0][0]) > METRICS_FRESH_MS:
        return None
    return _numbers(_event(entries[0][1]))


def _event(fields: Mapping[str, str]) -> dict[str, Any]:
    try:
        event = json.loads(fields.get("json", ""))
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    numbers = {}
    for key, value in values.items():
        try:
            numbers[key] = float(value)
        except (TypeError, ValueError):
            continue
    return numbers


def _ms(entry_id: str) -> int:
    return int(entry_id.partition("-")[0])
