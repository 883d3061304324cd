"""Reads the Postgres server: sessions, blockers, replication, size, and rates from one look to the next."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cockpit.clients.postgres import PostgresWall
from cockpit.clock import Clock
from cockpit.config import Settings
from cockpit.errors import ConfigError
from cockpit.model.backends import Blocker, LockHolder, PostgresServer
from cockpit.text import clean

RATE_WINDOW_S = 5.0
"""Backends report their commits once a second or later: over less than this, rates jump."""


@dataclass(frozen=True, slots=True)
class Counters:
    """The server's running totals at one moment."""

    at_s: float
    """Monotonic."""
    started_at: float
    commits: int
    rollbacks: int
    wal_bytes: int | None


class PostgresProbe:
    """One query a tick."""

    name = "postgres"

    def __init__(self, settings: Settings, clock: Clock) -> None:
        if settings.postgres is None:
            raise ConfigError("postgres is not configured")
        self._clock = clock
        self._wall = PostgresWall(settings.postgres)
        self._before: deque[Counters] = deque()
        self._size_bytes = 0
        self._rows: tuple[tuple[str, int], ...] = ()
        self.interval_s = settings.interval_s
        self.deadline_s = 2 * settings.postgres.timeout_s + 0.5

    @staticmethod
    def is_configured(settings: Settings) -> bool:
        """Whether there is a Postgres to read."""
        return settings.postgres is not None

    async def read(self) -> PostgresServer:
        """The server as it is now.

        Raises:
            BackendError: it did not answer, or refused.
        """
        row = await self._wall.read()
        now = Counters(
            self._clock.monotonic(), row["started_at"], row["commits"] or 0, row["rollbacks"] or 0, row["wal_bytes"]
        )
        self._size_bytes = row["size_bytes"] or self._size_bytes
        if row["rows"] is not None:
            self._rows = tuple((clean(name, 120), int(count)) for name, count in sorted(row["rows"].items()))
        past = remember(self._before, now)
        return server(row, self._size_bytes, self._rows, past, now)

    def awaits(self) -> str:
        """What it cannot be asked without and is not there yet; empty where nothing is missing."""
        return self._wall.awaits()

    async def close(self) -> None:
        """Hang up."""
        await self._wall.close()


def remember(before: deque[Counters], now: Counters) -> Counters | None:
    """Keep the counters for the window; the oldest comparable ones, None after a restart or a reset."""
    if before and (
        now.started_at != before[-1].started_at
        or now.commits < before[-1].commits
        or (now.wal_bytes or 0) < (before[-1].wal_bytes or 0)
    ):
        before.clear()
    while len(before) > 1 and now.at_s - before[0].at_s > RATE_WINDOW_S:
        before.popleft()
    oldest = before[0] if before else None
    before.append(now)
    return oldest


def server(
    row: Mapping[str, Any], size_bytes: int, rows: tuple[tuple[str, int], ...], past: Counters | None, now: Counters
) -> PostgresServer:
    """The row as facts."""
    return PostgresServer(
        version=clean(row["version"], 40),
        connections=row["connections"],
        max_connections=row["max_connections"],
        oldest_transaction_s=row["oldest_transaction_s"],
        blocked=tuple(map(blocker, row["blocked"])),
        is_in_recovery=row["is_in_recovery"],
        replicas=row["replicas"],
        replay_lag_s=row["replay_lag_s"],
        size_bytes=size_bytes,
        wal_bytes=row["wal_bytes"],
        wal_bytes_per_s=_rate(past, now, "wal_bytes"),
        commits_per_s=_rate(past, now, "commits"),
        rollbacks_per_s=_rate(past, now, "rollbacks"),
        missing_tables=tuple(clean(name, 80) for name in row["missing_tables"]),
        holders=tuple(map(holder, row["holders"])),
        role=clean(row["role"], 64),
        rows=rows,
        writes=row["writes"],
    )


def holder(item: Mapping[str, Any]) -> LockHolder:
    """One session that others wait for; what the role may not see of it is unknown."""
    return LockHolder(
        pid=item["pid"],
        began_us=item["began_us"],
        user=clean(item["user"] or "unknown", 64),
        application=clean(item["application"] or "unknown", 64),
        client=clean(item["client"], 64),
        state=clean(item["state"] or "unknown", 40),
        transaction_s=None if item["transaction_s"] is None else float(item["transaction_s"]),
        query=clean(item["query"] or ""),
        is_superuser=item["is_superuser"],
        is_ours_to_end=item["is_ours_to_end"],
    )


def blocker(item: Mapping[str, Any]) -> Blocker:
    """One waiting session, and the first that it waits for."""
    holders = tuple(item["blocked_by"] or ())
    # Process id 0 stands for a prepared transaction, which no session holds.
    state = "prepared transaction" if holders[:1] == (0,) else clean(item["blocker_state"] or "unknown", 40)
    return Blocker(
        pid=item["pid"],
        blocked_by=holders,
        waiting_s=max(0.0, float(item["waiting_s"] or 0.0)),
        user=clean(item["user"] or "unknown", 64),
        query=clean(item["query"] or ""),
        blocker_state=state,
        blocker_query=clean(item["blocker_query"] or ""),
    )


def _rate(past: Counters | None, now: Counters, field: str) -> float | None:
    if past is None or now.at_s <= past.at_s:
        return None
    before, after = getattr(past, field), getattr(now, field)
    return None if before is None or after is None else float((after - before) / (now.at_s - past.at_s))
