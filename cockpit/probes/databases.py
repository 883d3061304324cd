"""Reads which databases the server has: the platform's own, and those that a restore made or put aside."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from cockpit.clients.bounded import SoloThread
from cockpit.clients.databases import DatabasesWall, free_bytes
from cockpit.clock import Clock
from cockpit.config import PostgresPart, Settings
from cockpit.errors import BackendError, ConfigError
from cockpit.model.backends import Database, Databases
from cockpit.text import clean

SIZE_EVERY = 5
"""Ticks from one look at the sizes to the next: it stats every file."""


DISK_S = 1.0


class DatabasesProbe:
    """One query a tick."""

    name = "databases"

    def __init__(self, settings: Settings, clock: Clock) -> None:
        if settings.postgres is None:
            raise ConfigError("postgres is not configured")
        self._part: PostgresPart = settings.postgres
        self._wall = DatabasesWall(settings.postgres)
        self._sizes: dict[str, int] = {}
        self._ticks = 0
        self._disk = SoloThread("the server's disk", is_quick=True)
        self.interval_s = settings.interval_s
        self.deadline_s = 2 * settings.postgres.timeout_s + 0.5

    @staticmethod
    def is_configured(settings: Settings) -> bool:
        """Whether there is a Postgres to read."""
        return settings.postgres is not None

    async def read(self) -> Databases:
        """The databases as they are now.

        Raises:
            BackendError: it did not answer, or refused.
        """
        row = await self._wall.read(with_size=self._ticks % SIZE_EVERY == 0)
        self._ticks += 1
        for item in row["found"]:
            if item["size_bytes"] is not None:
                self._sizes[item["name"]] = item["size_bytes"]
        return databases(row, self._sizes, await self._free_bytes(row["data_directory"]))

    async def _free_bytes(self, folder: str | None) -> int | None:
        """A disk that hangs is not known; it costs one thread, however often it is looked at."""
        with suppress(BackendError):
            return await self._disk.call(DISK_S, free_bytes, self._part, folder)
        return None

    def awaits(self) -> str:
        """What it cannot be asked without and is not there yet; empty where nothing is missing."""
        return self._wall.awaits()

    async def close(self) -> None:
        """Hang up."""
        await self._wall.close()


def databases(row: Mapping[str, Any], sizes: Mapping[str, int], free: int | None) -> Databases:
    """The row as facts."""
    return Databases(
        wanted=row["wanted"],
        role=clean(row["role"], 64),
        is_superuser=row["is_superuser"],
        may_create=row["may_create"],
        roles=tuple(sorted(row["roles"])),
        version=row["version"],
        is_in_recovery=row["is_in_recovery"],
        free_bytes=free,
        found=tuple(database(item, sizes) for item in row["found"]),
        is_swapping=row["is_swapping"],
    )


def database(item: Mapping[str, Any], sizes: Mapping[str, int]) -> Database:
    """One of them."""
    return Database(
        name=item["name"],
        owner=item["owner"],
        is_ours=item["is_ours"],
        takes_connections=item["takes_connections"],
        sessions=item["sessions"],
        superuser_sessions=item["superusers"],
        prepared=item["prepared"],
        slots=item["slots"],
        size_bytes=sizes.get(item["name"]),
    )
