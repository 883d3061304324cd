"""Whether Redis would take and keep the kill switch now: judged on the snapshot alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from actions.checks import FAIL, PASS, UNKNOWN, WARN
from cockpit.config import Settings
from cockpit.model.backends import RedisServer
from cockpit.model.keeping import durable, writable
from cockpit.model.plan import Check
from cockpit.model.snapshot import Snapshot


def redis_checks(settings: Settings, snapshot: Snapshot, now: float) -> tuple[Check, ...]:
    """One check a way in which the write could fail or be lost."""
    sample = snapshot.redis
    age_s = sample.age_s(now)
    if sample.value is None or not sample.is_live(now):
        why = sample.error or ("not asked yet" if sample.value_at is None else "its answer is old")
        return (Check("Redis answers", UNKNOWN, f"unknown: {why}", age_s),)
    found = _of(sample.value, settings.thresholds.redis_full_fraction)
    return tuple(replace(check, evidence_age_s=age_s) for check in found)


def softened(check: Check) -> Check:
    """For a protective act: nothing forbids it, but what will fail is said plainly."""
    if check.verdict is FAIL:
        return replace(
            check, verdict=WARN, excused=FAIL, detail=f"WILL PROBABLY FAIL, tried all the same: {check.detail}"
        )
    if check.verdict is UNKNOWN:
        return replace(check, verdict=WARN, excused=UNKNOWN, detail=f"{check.detail}; tried all the same")
    return check


def _of(redis: RedisServer, full_fraction: float) -> Iterator[Check]:
    if redis.is_loading:
        yield Check("Redis answers", FAIL, "it is loading its data")
    else:
        yield Check("Redis answers", PASS, f"in {redis.round_trip_ms:.1f} ms")
    yield _role(redis)
    taken, kept = writable(redis, full_fraction), durable(redis)
    yield Check("writes accepted", taken.verdict, taken.words)
    yield Check("durable", kept.verdict, kept.words)
    yield _kept(redis)


def _role(redis: RedisServer) -> Check:
    if redis.role == "primary":
        return Check("role", PASS, "primary")
    return Check("role", FAIL, f"it is a {redis.role}: writes are refused (READONLY)")


def _kept(redis: RedisServer) -> Check:
    if redis.policy.startswith("allkeys"):
        return Check("not evicted", WARN, f"policy {redis.policy}: Redis may evict the flag when memory is short")
    return Check("not evicted", PASS, f"policy {redis.policy}")
