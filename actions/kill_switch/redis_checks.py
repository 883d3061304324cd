"""Whether Redis would take and keep the kill switch now: judged on the snapshot alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from actions.checks import FAIL, PASS, UNKNOWN, WARN
from cockpit.model.backends import RedisServer
from cockpit.model.plan import Check
from cockpit.model.snapshot import Snapshot


def redis_checks(snapshot: Snapshot, now: float) -> tuple[Check, ...]:
    """One check a way in which the write could fail or be lost."""
    sample = snapshot.redis
    age_s = sample.age_s(now)
    if sample.value is None or not sample.is_live(now):
        why = sample.error or ("not asked yet" if sample.value_at is None else "its answer is old")
        return (Check("Redis answers", UNKNOWN, f"unknown: {why}", age_s),)
    found = _of(sample.value)
    return tuple(replace(check, evidence_age_s=age_s) for check in found)


def softened(check: Check) -> Check:
    """For a protective act: nothing forbids it, but what will fail is said plainly."""
    if check.verdict is FAIL:
        return replace(check, verdict=WARN, detail=f"WILL PROBABLY FAIL, tried all the same: {check.detail}")
    if check.verdict is UNKNOWN:
        return replace(check, verdict=WARN, detail=f"{check.detail}; tried all the same")
    return check


def _of(redis: RedisServer) -> Iterator[Check]:
    if redis.is_loading:
        yield Check("Redis answers", FAIL, "it is loading its data")
    else:
        yield Check("Redis answers", PASS, f"in {redis.round_trip_ms:.1f} ms")
    yield _role(redis)
    yield _writes(redis)
    yield _durable(redis)
    yield _kept(redis)


def _role(redis: RedisServer) -> Check:
    if redis.role in ("master", "primary"):
        return Check("role", PASS, "primary")
    return Check("role", FAIL, f"it is a {redis.role}: writes are refused (READONLY)")


def _writes(redis: RedisServer) -> Check:
    if redis.refuses_writes:
        return Check("writes accepted", FAIL, "MISCONF: the last save failed, writes are refused")
    used = redis.used_fraction
    if used is None:
        return Check("writes accepted", PASS, "no memory limit")
    if used >= 1.0 and redis.policy == "noeviction":
        return Check("writes accepted", FAIL, "memory is at its limit: writes are refused (OOM)")
    if used >= 0.97:
        return Check("writes accepted", WARN, f"memory at {used:.0%} of its limit")
    return Check("writes accepted", PASS, f"memory at {used:.0%} of its limit")


def _durable(redis: RedisServer) -> Check:
    if redis.is_aof_on and redis.is_aof_ok and redis.appendfsync != "no":
        return Check("durable", PASS, f"append-only file, flushed {redis.appendfsync or 'as configured'}")
    if redis.replicas:
        return Check("durable", PASS, f"{redis.replicas} replica{'s' if redis.replicas > 1 else ''}")
    if redis.is_save_on and redis.is_save_ok:
        ago = "at an unknown time" if redis.last_save_age_s is None else f"{redis.last_save_age_s:.0f} s ago"
        text = f"only save points, the last {ago}: a crash before the next loses the flag"
        return Check("durable", WARN, text)
    return Check("durable", WARN, "NOT durable: a crash of Redis loses the flag, and trading starts again")


def _kept(redis: RedisServer) -> Check:
    if redis.policy.startswith("allkeys"):
        return Check("not evicted", WARN, f"policy {redis.policy}: Redis may evict the flag when memory is short")
    return Check("not evicted", PASS, f"policy {redis.policy}")
