"""Whether the container is the one that serves redis.url: by process, by age, by published port."""

from __future__ import annotations

from urllib.parse import urlsplit

from actions.checks import FAIL, PASS, WARN
from cockpit.config import Settings
from cockpit.model.backends import Container
from cockpit.model.plan import Check
from cockpit.model.snapshot import Snapshot

NAME = "it serves redis.url"
TOGETHER_S = 5.0
"""Docker's start of a container and Redis' start in it, on clocks that need not agree to the second."""
LOCAL = ("127.0.0.1", "::1", "localhost")


def serves_check(settings: Settings, found: Container, snapshot: Snapshot, now: float) -> Check:
    """The wrong container restarted would be one more outage: what contradicts blocks, what is not known is said."""
    assert settings.redis is not None and settings.docker is not None
    port = _port(settings.redis.url)
    seen = _by_process(found, snapshot, now) or _by_port(found, port, _is_same_host(settings))
    if seen is not None:
        return Check(NAME, PASS if seen[0] else FAIL, seen[1], snapshot.docker.age_s(now), is_overridable=not seen[0])
    where = "its socket" if port is None else f"port {port}"
    words = f"not known whether {found.name} is what serves {where}: Docker publishes no port of it"
    return Check(NAME, WARN, words, snapshot.docker.age_s(now))


def _by_process(found: Container, snapshot: Snapshot, now: float) -> tuple[bool, str] | None:
    """Whether it is the process that answers; None where that does not tell."""
    redis = snapshot.redis.value
    if redis is None or not snapshot.redis.is_live(now):
        return None
    if found.state != "running":
        return False, f"it is {found.state}, and yet Redis answers: something else serves redis.url"
    if redis.process_id is not None and redis.process_id == found.pid:
        return True, f"process {found.pid} is the Redis that answers"
    if redis.uptime_s is None or found.started_age_s is None:
        return None
    redis_since = (snapshot.redis.value_at or now) - redis.uptime_s
    found_since = (snapshot.docker.value_at or now) - found.started_age_s
    if redis_since < found_since - TOGETHER_S:
        older_s = found_since - redis_since
        return False, f"the Redis that answers is {older_s:.0f} s older than this container: something else serves it"
    if redis_since <= found_since + TOGETHER_S:
        return True, f"both were started at the same time, {redis.uptime_s:.0f} s ago"
    return None


def _by_port(found: Container, port: int | None, is_same_host: bool) -> tuple[bool, str] | None:
    """Whether it publishes that port here; a proxy in between may make another one of it."""
    if port is None or not found.ports or not is_same_host:
        return None
    if port in found.ports:
        return True, f"it publishes port {port}"
    published = ", ".join(str(one) for one in found.ports)
    return False, f"it publishes {published}, redis.url says {port}: this container does not serve redis.url"


def _port(url: str) -> int | None:
    parts = urlsplit(url)
    return None if parts.scheme == "unix" else parts.port or 6379


def _is_same_host(settings: Settings) -> bool:
    """Whether redis.url and the engine are on one host, as far as their addresses tell."""
    assert settings.redis is not None and settings.docker is not None
    host, engine = urlsplit(settings.redis.url).hostname or "", urlsplit(settings.docker.url)
    return host in LOCAL if engine.scheme == "unix" else host == (engine.hostname or "")
