"""What the probes found out about Redis: apart from the other servers, because it alone is read before them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RedisServer:
    """INFO, CONFIG and a timed round trip; None = the server does not say."""

    version: str
    used_bytes: int
    limit_bytes: int | None
    """maxmemory; None = no limit (which is not 0 %)."""
    policy: str
    evicted_total: int | None
    evicted_per_s: float | None
    fragmentation_bytes: int | None
    is_aof_on: bool | None
    is_aof_ok: bool | None
    appendfsync: str | None
    is_save_on: bool | None
    """None where CONFIG may not be read."""
    is_save_ok: bool | None
    last_save_age_s: float | None
    unsaved_changes: int | None
    refuses_writes: bool | None
    """MISCONF: a snapshot failed and stop-writes-on-bgsave-error is on; None where that is not known."""
    is_loading: bool | None
    role: str
    """primary, replica, or as the server calls it where it is another."""
    replicas: int | None
    primary_link: str | None
    """Of a replica: up or down."""
    clients: int | None
    blocked_clients: int | None
    ops_per_s: float | None
    uptime_s: float | None
    run_id: str
    round_trip_ms: float
    process_id: int | None = None
    """As it sees it itself: in a container of its own often 1."""
    keys: int | None = None
    """Over all databases."""

    @property
    def used_fraction(self) -> float | None:
        """Memory used of the limit; None without a limit."""
        return self.used_bytes / self.limit_bytes if self.limit_bytes else None
