"""The Redis server itself: memory, persistence, role, load and the timed round trip."""

from __future__ import annotations

from cockpit.clients.redis_facts import Fields, number, whole
from cockpit.clients.redis_reading import KeyFault, WallReading
from cockpit.errors import Refused
from cockpit.model.backends import RedisServer
from cockpit.text import clean


def read_redis_server(reading: WallReading, before: WallReading | None) -> RedisServer:
    """INFO and CONFIG, with the rate of evictions since the reading before.

    Raises:
        Refused: INFO may not be read.
    """
    info = reading.info
    if isinstance(info, KeyFault):
        raise Refused(f"INFO: {info.reason}")
    return RedisServer(
        version=_text(info, "redis_version"),
        used_bytes=_whole(info, "used_memory"),
        limit_bytes=_whole(info, "maxmemory") or None,
        policy=_text(info, "maxmemory_policy"),
        evicted_total=_whole(info, "evicted_keys"),
        evicted_per_s=_evicted_per_s(reading, before),
        fragmentation_bytes=_whole(info, "mem_fragmentation_bytes"),
        is_aof_on=info.get("aof_enabled") == "1",
        is_aof_ok=_is_aof_ok(info),
        appendfsync=clean(reading.config["appendfsync"], 20) if "appendfsync" in reading.config else None,
        is_save_on=_is_save_on(reading.config),
        is_save_ok=info.get("rdb_last_bgsave_status") == "ok",
        last_save_age_s=reading.age_s(_whole(info, "rdb_last_save_time") * 1000) or 0.0,
        unsaved_changes=_whole(info, "rdb_changes_since_last_save"),
        refuses_writes=_refuses_writes(info, reading.config),
        is_loading=info.get("loading") == "1",
        role=_text(info, "role"),
        replicas=_whole(info, "connected_slaves"),
        master_link=clean(info["master_link_status"], 20) if "master_link_status" in info else None,
        clients=_whole(info, "connected_clients"),
        blocked_clients=_whole(info, "blocked_clients"),
        ops_per_s=number(info.get("instantaneous_ops_per_sec")) or 0.0,
        uptime_s=number(info.get("uptime_in_seconds")) or 0.0,
        run_id=_text(info, "run_id"),
        round_trip_ms=reading.round_trip_ms,
    )


def _text(info: Fields, name: str) -> str:
    return clean(info.get(name, "unknown"), 60)


def _whole(info: Fields, name: str) -> int:
    return whole(info.get(name)) or 0


def _is_aof_ok(info: Fields) -> bool:
    return info.get("aof_last_write_status", "ok") == "ok" and info.get("aof_last_bgrewrite_status", "ok") == "ok"


def _is_save_on(config: Fields) -> bool | None:
    return bool(config["save"].strip()) if "save" in config else None


def _refuses_writes(info: Fields, config: Fields) -> bool | None:
    """Redis' own rule for MISCONF; without CONFIG it is unknown once a snapshot has failed."""
    if info.get("aof_enabled") == "1" and info.get("aof_last_write_status", "ok") != "ok":
        return True
    if info.get("rdb_last_bgsave_status", "ok") == "ok":
        return False
    stops = config.get("stop-writes-on-bgsave-error")
    return None if stops is None else stops == "yes" and _is_save_on(config) is not False


def _evicted_per_s(reading: WallReading, before: WallReading | None) -> float | None:
    """None at first and after a restart, which counts from 0 again."""
    if before is None or isinstance(reading.info, KeyFault) or isinstance(before.info, KeyFault):
        return None
    elapsed_ms = reading.now_ms - before.now_ms
    if elapsed_ms <= 0 or reading.info.get("run_id") != before.info.get("run_id"):
        return None
    evicted = _whole(reading.info, "evicted_keys") - _whole(before.info, "evicted_keys")
    return max(0, evicted) * 1000 / elapsed_ms
