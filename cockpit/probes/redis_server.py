"""The Redis server itself: memory, persistence, role, load and the timed round trip."""

from __future__ import annotations

from cockpit.clients.redis_facts import Fields, number, whole
from cockpit.clients.redis_reading import KeyFault, WallReading
from cockpit.errors import Refused
from cockpit.model.redis_server import RedisServer
from cockpit.text import clean


def read_redis_server(reading: WallReading, before: WallReading | None) -> RedisServer:
    """INFO and CONFIG, with the rate of evictions since the reading before.

    Raises:
        Refused: INFO may not be read, or lacks what everything else hangs on.
    """
    info = reading.info
    if isinstance(info, KeyFault):
        raise info.error("INFO")
    return RedisServer(
        version=_text(info, "redis_version"),
        used_bytes=_needed(info, "used_memory"),
        limit_bytes=_needed(info, "maxmemory") or None,
        policy=_text(info, "maxmemory_policy"),
        evicted_total=_whole(info, "evicted_keys"),
        evicted_per_s=_evicted_per_s(reading, before),
        fragmentation_bytes=_whole(info, "mem_fragmentation_bytes"),
        is_aof_on=_flag(info, "aof_enabled"),
        is_aof_ok=_is_aof_ok(info),
        appendfsync=clean(reading.config["appendfsync"], 20) if "appendfsync" in reading.config else None,
        is_save_on=_is_save_on(reading.config),
        is_save_ok=_is_ok(info, "rdb_last_bgsave_status"),
        last_save_age_s=_last_save_age_s(reading, info),
        unsaved_changes=_whole(info, "rdb_changes_since_last_save"),
        refuses_writes=_refuses_writes(info, reading.config),
        is_loading=_flag(info, "loading"),
        role=_role(info),
        replicas=_whole(info, "connected_slaves"),
        primary_link=clean(info["master_link_status"], 20) if "master_link_status" in info else None,
        clients=_whole(info, "connected_clients"),
        blocked_clients=_whole(info, "blocked_clients"),
        ops_per_s=number(info.get("instantaneous_ops_per_sec")),
        uptime_s=number(info.get("uptime_in_seconds")),
        run_id=_text(info, "run_id"),
        round_trip_ms=reading.round_trip_ms,
        process_id=_whole(info, "process_id"),
        keys=_keys(info),
    )


def _keys(info: Fields) -> int | None:
    """`db0:keys=12,expires=0`; a database without a key is not listed."""
    if "used_memory" not in info:
        return None
    rows = [info[name] for name in info if name[:2] == "db" and name[2:].isdecimal()]
    counts = [whole(part.partition("=")[2]) for row in rows for part in row.split(",") if part.startswith("keys=")]
    return None if None in counts else sum(count or 0 for count in counts)


_ROLES = {"master": "primary", "slave": "replica"}
"""What INFO calls them -> what is shown, here as with every other backend."""


def _text(info: Fields, name: str) -> str:
    return clean(info.get(name, "unknown"), 60)


def _role(info: Fields) -> str:
    if "role" not in info:
        raise Refused("INFO lacks role")
    said = _text(info, "role")
    return _ROLES.get(said, said)


def _whole(info: Fields, name: str) -> int | None:
    return whole(info.get(name))


def _needed(info: Fields, name: str) -> int:
    found = whole(info.get(name))
    if found is None:
        raise Refused(f"INFO lacks {name}")
    return found


def _flag(info: Fields, name: str) -> bool | None:
    return info[name] == "1" if name in info else None


def _is_ok(info: Fields, name: str) -> bool | None:
    return info[name] == "ok" if name in info else None


def _is_aof_ok(info: Fields) -> bool | None:
    """None where either of the two is not said, and the other is no failure."""
    said = (_is_ok(info, "aof_last_write_status"), _is_ok(info, "aof_last_bgrewrite_status"))
    return False if False in said else None if None in said else True


def _last_save_age_s(reading: WallReading, info: Fields) -> float | None:
    saved_at = _whole(info, "rdb_last_save_time")
    return reading.age_s(saved_at * 1000) if saved_at else None


def _is_save_on(config: Fields) -> bool | None:
    return bool(config["save"].strip()) if "save" in config else None


def _refuses_writes(info: Fields, config: Fields) -> bool | None:
    """Redis' own rule for MISCONF; without CONFIG it is unknown once a snapshot has failed."""
    is_aof_on, is_written = _flag(info, "aof_enabled"), _is_ok(info, "aof_last_write_status")
    if is_aof_on and is_written is False:
        return True
    is_saved = _is_ok(info, "rdb_last_bgsave_status")
    is_aof_known = is_aof_on is False or is_written is True
    if is_saved is not False:
        return False if is_saved and is_aof_known else None
    stops = config.get("stop-writes-on-bgsave-error")
    if stops == "yes" and _is_save_on(config) is not False:
        return True
    return False if stops is not None and is_aof_known else None


def _evicted_per_s(reading: WallReading, before: WallReading | None) -> float | None:
    """None at first and after a restart, which counts from 0 again."""
    if before is None or isinstance(reading.info, KeyFault) or isinstance(before.info, KeyFault):
        return None
    elapsed_ms = reading.now_ms - before.now_ms
    if elapsed_ms <= 0 or reading.info.get("run_id") != before.info.get("run_id"):
        return None
    now, then = _whole(reading.info, "evicted_keys"), _whole(before.info, "evicted_keys")
    return None if now is None or then is None else max(0, now - then) * 1000 / elapsed_ms
