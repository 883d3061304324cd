"""Whether trading runs, and whether it could be halted now: never a guess, never a stale answer as a fresh one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from cockpit.config import Settings
from cockpit.model.keeping import durable, writable
from cockpit.model.snapshot import Snapshot
from cockpit.severity.watch import STOPPED, is_blind

if TYPE_CHECKING:
    from cockpit.model.backends import RedisServer

DEFAULT_FULL_FRACTION = 0.97


class TradingWord(StrEnum):
    """The state of trading."""

    ACTIVE = "ACTIVE"
    HALTED = "HALTED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Trading:
    """The state of trading, by the kill switch."""

    word: TradingWord
    since: float | None = None
    """Unix seconds; None where the platform does not say."""
    by: str | None = None
    reason: str | None = None
    last_known: TradingWord | None = None
    """What was read last, where the present is unknown."""
    age_s: float | None = None
    """How old the evidence is."""


def trading(snapshot: Snapshot, now: float | None = None) -> Trading:
    """UNKNOWN as soon as the kill switch cannot be read now (None: the moment of the snapshot)."""
    now = snapshot.taken_at if now is None else now
    sample = snapshot.kill_switch
    switch, age_s = sample.value, sample.age_s(now)
    if switch is None:
        return Trading(TradingWord.UNKNOWN)
    word = TradingWord.HALTED if switch.is_engaged else TradingWord.ACTIVE
    if not sample.is_live(now):
        return Trading(TradingWord.UNKNOWN, switch.since, switch.by, switch.reason, word, age_s)
    return Trading(word, switch.since, switch.by, switch.reason, None, age_s)


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether a halt would work now, by which rung of the ladder, and why."""

    word: str
    """ready, degraded (only by a lower rung), not ready; unknown where the cockpit itself no longer watches."""
    rung: str
    """Redis, else scaling the order deployments to 0, else the telephone."""
    reason: str
    is_durable: bool = False


def halt_readiness(snapshot: Snapshot, settings: Settings | None = None, now: float | None = None) -> Readiness:
    """The light that says all the time whether the kill switch would work now (None: when the snapshot was taken)."""
    now = snapshot.taken_at if now is None else now
    if is_blind(snapshot):
        return Readiness("unknown", "Redis", f"{STOPPED}; a halt is sent all the same")
    redis = snapshot.redis
    if settings is not None and settings.redis is None:
        return _lower_rung(snapshot, settings, "no Redis is configured", now)
    if redis.value is None or not redis.is_live(now):
        word = "does not answer" if redis.is_asked else "is not asked"
        return _lower_rung(snapshot, settings, f"Redis {'refuses us' if redis.is_denied else word}", now)
    full = settings.thresholds.redis_full_fraction if settings else DEFAULT_FULL_FRACTION
    obstacle = _obstacle(redis.value, full)
    if obstacle:
        return _lower_rung(snapshot, settings, obstacle, now)
    kept = durable(redis.value)
    reason = f"durable ({kept.words})" if kept.is_good else kept.words
    return Readiness("ready", "Redis", reason, is_durable=kept.is_good)


def _obstacle(redis: RedisServer, full: float) -> str | None:
    """Why a halt would not be written, or not stay written; None where nothing stands in the way."""
    if redis.role != "primary":
        return f"Redis is a {redis.role}: read-only"
    if redis.is_loading:
        return "Redis is loading its data"
    taken = writable(redis, full)
    if not taken.is_good:
        return f"Redis: {taken.words}"
    if redis.policy.startswith("allkeys"):
        return f"Redis may evict the halt ({redis.policy})"
    return None


def _lower_rung(snapshot: Snapshot, settings: Settings | None, obstacle: str, now: float) -> Readiness:
    sample = snapshot.kubernetes
    part = settings.kubernetes if settings else None
    names = part.order_deployments if part else ()
    if names and sample.value is not None and sample.is_live(now):
        there = [one.name for one in sample.value.deployments if one.name in names]
        if there:
            return Readiness("degraded", f"scale {', '.join(there)} to 0", obstacle)
    numbers = ", ".join(f"{one.name} {one.phone}" for one in (settings.venues if settings else ()) if one.phone)
    return Readiness("not ready", f"call the brokers ({numbers or 'no number is configured'})", obstacle)
