"""Whether the container may be restarted, and what a restart would cost: judged on the snapshot alone."""

from __future__ import annotations

from collections.abc import Iterator

from actions.checks import FAIL, PASS, UNKNOWN, WARN, evidence_error, world_check
from actions.redis_container.halt import Halt
from actions.redis_container.same import serves_check
from actions.snapshot.kept_check import kept_check
from cockpit.config import Settings
from cockpit.model.backends import Container, RedisServer
from cockpit.model.plan import Check
from cockpit.model.snapshot import Snapshot
from cockpit.model.states import Stream


def container(snapshot: Snapshot, name: str) -> Container | None:
    """The container as it was read last."""
    found = snapshot.docker.value.containers if snapshot.docker.value else ()
    return next((one for one in found if one.name == name), None)


def streams(snapshot: Snapshot) -> tuple[Stream, ...]:
    """Order and tick streams as they were read last."""
    orders = snapshot.flow.value.streams if snapshot.flow.value else ()
    ticks = tuple(feed.stream for feed in snapshot.feeds.value.feeds) if snapshot.feeds.value else ()
    return (*orders, *ticks)


def groups(snapshot: Snapshot) -> tuple[str, ...]:
    """Every consumer group as stream/group."""
    return tuple(sorted(f"{one.name}/{group.name}" for one in streams(snapshot) for group in one.groups))


def checks(settings: Settings, name: str, halt: Halt, snapshot: Snapshot, now: float) -> Iterator[Check]:
    """One check a question."""
    yield from world_check(settings.world)
    if settings.docker is None or settings.redis is None:
        yield Check("Docker", FAIL, "no Docker or no Redis is configured")
        return
    unknown = evidence_error("Docker answers", snapshot.docker, now)
    if unknown is not None:
        yield unknown
        return
    age_s = snapshot.docker.age_s(now)
    found = container(snapshot, name)
    if found is None or found.state == "absent":
        is_watched = name in settings.docker.containers
        words = "there is no such container" if is_watched else "it is not among docker.containers in the configuration"
        yield Check(f"container {name}", FAIL, words, age_s)
        return
    yield Check(f"container {name}", PASS, f"{found.state}: {found.status}", age_s)
    yield serves_check(settings, found, snapshot, now)
    yield _redis(snapshot, now)
    yield kept_check(settings, snapshot, now)
    yield _halt(halt, snapshot.kill_switch.age_s(now), snapshot.kill_switch.is_live(now))


def _redis(snapshot: Snapshot, now: float) -> Check:
    sample = snapshot.redis
    age_s = sample.age_s(now)
    if sample.error is not None and sample.is_denied:
        words = f"it answers, and refuses us: {sample.error}; mend redis.password or its rights, no restart does"
        return Check("Redis", FAIL, words, age_s, is_overridable=True)
    if sample.error is not None:
        return Check("Redis", PASS, f"does not answer: {sample.error}")
    if sample.value is None or not sample.is_live(now):
        return Check("Redis", UNKNOWN, "whether it answers is not known", age_s, is_overridable=True)
    if sample.value.is_loading:
        return Check("Redis", WARN, "it is loading its data: a restart begins that anew", age_s)
    return Check(
        "Redis", WARN, f"it answers, in {sample.value.round_trip_ms:.1f} ms: is a restart what you want?", age_s
    )


def _halt(halt: Halt, age_s: float | None, is_live: bool) -> Check:
    if halt.halted == "true":
        words = f"engaged{'' if is_live else ' when it was read last'} by {halt.by or 'somebody'}"
        return Check("kill switch", PASS if is_live else WARN, f"{words}: engaged again if it is lost", age_s)
    if halt.halted == "false":
        return Check("kill switch", WARN, "not engaged: trading goes on as soon as Redis is back", age_s)
    words = "whether it was engaged is unknown: it is ENGAGED after the restart, to be safe"
    return Check("kill switch", WARN, words, None)


def impact(snapshot: Snapshot, now: float) -> Iterator[str]:
    """What a restart costs and may lose."""
    redis = snapshot.redis.value
    if redis is None:
        yield "what it would lose is unknown: Redis was never read"
    else:
        yield durability(redis)
        keys = "how many is unknown" if redis.keys is None else f"{redis.keys:,}"
        yield f"keys: {keys}; {redis.clients} clients are cut off and have to connect again"
    found = [one for one in streams(snapshot) if one.depth is not None]
    if found:
        entries = sum(one.depth or 0 for one in found)
        pending = sum(group.pending or 0 for one in found for group in one.groups)
        yield f"{entries:,} entries in {len(found)} streams, {len(groups(snapshot))} groups, {pending} not acknowledged"
    if snapshot.redis.value is not None and not snapshot.redis.is_live(now):
        yield "counted before Redis stopped answering"


def durability(redis: RedisServer) -> str:
    """What survives.

    SIGTERM saves only where save points are on; kill -9, after the time to stop, saves nothing.
    """
    if redis.is_aof_on:
        kept = "every write" if redis.appendfsync == "always" else "all but the last second at the worst"
        return f"append-only file: {kept} survives" + ("" if redis.is_aof_ok else ", BUT ITS LAST WRITE FAILED")
    changes = f"{redis.unsaved_changes:,} changes since the save {redis.last_save_age_s:.0f} s ago"
    if not redis.is_save_on:
        return f"NOT DURABLE, no append-only file and no save points: LOSES ALL since the last save: {changes}"
    if not redis.is_save_ok or redis.refuses_writes:
        return f"the last save FAILED: {changes} may be lost"
    return f"saved when it stops in time; if it has to be killed, {changes} are lost"
