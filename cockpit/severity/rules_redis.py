"""Redis: whether it takes writes, has room, keeps what it was given, and answers quickly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cockpit.model.severity import Severity
from cockpit.severity import sections, slow_redis, words
from cockpit.severity.rule import Hit, View, rule

if TYPE_CHECKING:
    from cockpit.model.backends import Container, Docker, RedisServer

SUBJECT = "redis"
MORE_ROOM = "no step frees memory, a restart neither: raise maxmemory, or trim what fills it"


@rule("redis", panel="redis", section=sections.REDIS)
def redis_refuses_writes(view: View, redis: RedisServer) -> Iterator[Hit]:
    """Nothing can be written, the kill switch included."""
    if redis.refuses_writes:
        yield Hit(SUBJECT, Severity.P1, "Redis refuses writes: MISCONF, a save to disk failed", "MISCONF", "writable")
    elif redis.refuses_writes is None and redis.is_save_ok is False:
        yield Hit(SUBJECT, Severity.P1, "Redis failed to save and may refuse writes", "save failed", "writable")
    elif redis.refuses_writes is None:
        yield Hit(SUBJECT, Severity.P2, "Redis does not say whether it takes writes", "unknown", "writable")


@rule("redis", panel="redis", section=sections.REDIS)
def redis_replica(view: View, redis: RedisServer) -> Iterator[Hit]:
    """A replica is read-only."""
    if redis.role != "primary":
        yield Hit(SUBJECT, Severity.P1, f"Redis is a {redis.role}: it refuses writes", redis.role, "primary")


@rule("redis", panel="redis", section=sections.REDIS)
def redis_loading(view: View, redis: RedisServer) -> Iterator[Hit]:
    """It is still reading its data from disk."""
    if redis.is_loading:
        summary, since = "Redis is loading its data and serves nobody yet", view.ago(redis.uptime_s)
        yield Hit(SUBJECT, Severity.P1, summary, "loading", "ready", since=since)


@rule("redis", panel="redis", section=sections.REDIS)
def redis_memory(view: View, redis: RedisServer) -> Iterator[Hit]:
    """Memory runs out; without a limit there is no fraction to judge."""
    fraction = redis.used_fraction
    limit = view.limits.redis_memory_fraction
    if fraction is None or fraction <= min(limit, view.limits.redis_full_fraction):
        return
    used = words.percent(fraction)
    if fraction >= view.limits.redis_full_fraction:
        summary = f"Redis memory full: {used} of its limit, {_at_limit(redis)}"
        limit = view.limits.redis_full_fraction
        yield Hit(SUBJECT, Severity.P1, summary, used, words.percent(limit), by_hand=MORE_ROOM)
    else:
        summary = f"Redis memory {used} > {words.percent(limit)}"
        yield Hit(SUBJECT, Severity.P2, summary, used, words.percent(limit))


@rule("redis", panel="redis", section=sections.REDIS)
def redis_evicting(view: View, redis: RedisServer) -> Iterator[Hit]:
    """Keys are thrown away; the kill flag is one of them."""
    if redis.evicted_per_s:
        summary = f"Redis evicts {redis.evicted_per_s:,.0f} keys/s ({redis.policy})"
        yield Hit(SUBJECT, Severity.P2, summary, f"{redis.evicted_per_s:,.0f}/s", "0/s")


@rule("redis", panel="redis", section=sections.REDIS)
def redis_persistence(view: View, redis: RedisServer) -> Iterator[Hit]:
    """The last save or append failed: a crash now loses data."""
    if redis.is_aof_on and redis.is_aof_ok is False:
        yield Hit("redis AOF", Severity.P1, "Redis cannot append to its AOF: writes are refused", "failed", "ok")
    if redis.is_save_on and redis.is_save_ok is False and redis.refuses_writes is False:
        yield Hit("redis save", Severity.P2, "Redis failed to save to disk", "failed", "ok")


@rule("redis", panel="redis", section=sections.REDIS, readings=slow_redis.READINGS)
def redis_slow(view: View, redis: RedisServer) -> Iterator[Hit]:
    """Every order makes several round trips: latency here is latency everywhere."""
    limit_ms = view.limits.round_trip_ms
    if redis.round_trip_ms > limit_ms:
        took, limit = words.ms(redis.round_trip_ms), words.ms(limit_ms)
        summary, kept = f"Redis slow: round trip {took} > {limit}", float(redis.round_trip_ms)
        yield Hit(SUBJECT, Severity.P2, summary, took, limit, kept=kept)


@rule("docker", panel="redis", section=sections.REDIS)
def redis_container(view: View, docker: Docker) -> Iterator[Hit]:
    """The container that runs Redis does not run."""
    name = view.settings.redis.container if view.settings.redis else None
    for container in docker.containers:
        if container.name == name and container.state != "running":
            yield _not_running(view, container, Severity.P1 if container.state != "absent" else Severity.P3)


@rule("docker", panel="postgres", section=sections.POSTGRES)
def postgres_container(view: View, docker: Docker) -> Iterator[Hit]:
    """The container that runs Postgres does not run."""
    name = view.settings.postgres.container if view.settings.postgres else None
    for container in docker.containers:
        if container.name == name and container.state != "running":
            yield _not_running(view, container, Severity.P1 if container.state != "absent" else Severity.P3)


@rule("docker", panel="kubernetes")
def other_container(view: View, docker: Docker) -> Iterator[Hit]:
    """Another configured container does not run."""
    parts = (view.settings.redis, view.settings.postgres)
    told = {part.container for part in parts if part is not None}
    for container in docker.containers:
        if container.name not in told and container.state != "running":
            yield _not_running(view, container, Severity.P3)


def _not_running(view: View, container: Container, severity: Severity) -> Hit:
    is_said = container.state in container.status.lower()
    status = container.status if is_said else f"{container.state} {container.status}".strip()
    return Hit(
        f"container {container.name}",
        severity,
        f"container {container.name}: {status}",
        container.state,
        "running",
        since=view.ago(container.stopped_age_s),
    )


def _at_limit(redis: RedisServer) -> str:
    return "writes are refused" if redis.policy == "noeviction" else f"keys are evicted ({redis.policy})"


RULES = (
    redis_refuses_writes,
    redis_replica,
    redis_loading,
    redis_memory,
    redis_evicting,
    redis_persistence,
    redis_slow,
    redis_container,
    postgres_container,
    other_container,
)
