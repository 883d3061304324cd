"""The server's databases, read over one connection of its own to the maintenance database."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.clients.bounded import bounded
from cockpit.clients.postgres_driver import bare
from cockpit.clients.postgres_link import SWAPPER, database_name, keywords, linked, password_of
from cockpit.clients.postgres_row import Parameter, RowQuery
from cockpit.config import PostgresPart
from cockpit.errors import BackendError

if TYPE_CHECKING:
    from psycopg import AsyncConnection

LOCAL = ("localhost", "127.0.0.1", "::1")


class DatabasesWall:
    """Connects lazily, and anew after any failure."""

    def __init__(self, part: PostgresPart) -> None:
        self._part = part
        self._query = RowQuery(bare(Path(__file__).with_suffix(".sql")))
        self._wanted = ""
        self._password = password_of(part)
        self._stack: AsyncExitStack | None = None
        self._connection: AsyncConnection | None = None

    async def read(self, *, with_size: bool) -> Mapping[str, Any]:
        """The row of databases.sql, with the platform's database as `wanted`.

        Raises:
            BackendError: in an operator's words.
            ConfigError: the password is not where the configuration says.
        """
        try:
            return await bounded(self._read(with_size), self._part.timeout_s, "Postgres")
        except BaseException:
            self._drop()
            raise

    def awaits(self) -> str:
        """What it cannot be asked without and is not there yet; empty where nothing is missing."""
        return self._password.awaits()

    async def close(self) -> None:
        """Hang up, without waiting for anything."""
        self._drop()

    async def _read(self, with_size: bool) -> Mapping[str, Any]:
        if not self._wanted:
            self._wanted = await asyncio.to_thread(database_name, self._part)
        import psycopg

        from cockpit.clients.postgres_words import in_words

        if self._connection is None:
            self._stack = AsyncExitStack()
            database, password = self._part.maintenance_database, self._password
            link = linked(self._part, database, is_read_only=True, password=password)
            self._connection = await self._stack.enter_async_context(link)
        asked: dict[str, Parameter] = {"wanted": self._wanted, "with_size": with_size, "swapper": SWAPPER}
        try:
            row = await self._query.ask(self._connection, asked)
        except psycopg.Error as error:
            raise in_words(error, self._part.timeout_s) from None
        if row is None:
            raise BackendError("Postgres does not know the role that it was asked as")
        return {**row, "wanted": self._wanted}

    def _drop(self) -> None:
        connection, self._connection, self._stack = self._connection, None, None
        if connection is not None:
            connection.pgconn.finish()


def free_bytes(part: PostgresPart, data_directory: str | None) -> int | None:
    """What is left on the server's disk, where that is one of this host's; blocks."""
    host = str(keywords(part).get("host") or "localhost")
    if data_directory is None or not (host in LOCAL or host.startswith("/")):
        return None
    try:
        found = os.statvfs(data_directory)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize
