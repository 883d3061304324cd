"""Postgres: one read-only connection, one query a tick; what hangs is dropped without waiting for it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.clients.bounded import SoloThread, bounded
from cockpit.clients.postgres_driver import bare, is_loaded, load_driver
from cockpit.clients.postgres_row import Parameter, RowQuery
from cockpit.clients.postgres_words import in_words
from cockpit.clients.revealing import awaited
from cockpit.config import PostgresPart
from cockpit.errors import BackendError, Refused
from cockpit.text import clean

if TYPE_CHECKING:
    from psycopg import AsyncConnection

SIZE_EVERY = 5
"""Ticks from one look at the database's size to the next."""


class PostgresWall:
    """The server's state, read whole each tick; connects lazily and anew after any failure."""

    def __init__(self, settings: PostgresPart) -> None:
        self._settings = settings
        self._thread = SoloThread("the set-up for Postgres")
        self._query: RowQuery | None = None
        self._connect_with: dict[str, Any] | None = None
        self._connection: AsyncConnection | None = None
        self._ticks = 0

    async def read(self) -> Mapping[str, Any]:
        """The row of postgres.sql; `size_bytes` is None on most ticks.

        Raises:
            BackendError: in an operator's words.
        """
        timeout_s = self._settings.timeout_s
        if self._connect_with is None:
            # The password may be the output of a command that takes longer: a later tick then finds it here.
            await self._thread.call(timeout_s, self._prepare)
        try:
            return await bounded(self._read(), timeout_s, "Postgres")
        except BaseException as error:
            # The query may still be on its way in there; whoever comes next gets another connection.
            self._connection = None
            if isinstance(error, Refused):
                self._connect_with = None  # the password may have changed since
            raise

    def awaits(self) -> str:
        """What it cannot be asked without and is not there yet; empty where nothing is missing."""
        if self._connect_with is not None:
            return ""
        password = self._settings.password
        if password is None or (password.command is None and not is_loaded()):
            return "its driver is not loaded yet"
        return awaited(password, "password")

    async def close(self) -> None:
        """Hang up, without waiting for anything."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.pgconn.finish()

    async def _read(self) -> Mapping[str, Any]:
        import psycopg

        assert self._connect_with is not None and self._query is not None

        connection: AsyncConnection | None = None
        try:
            connection = self._connection or await psycopg.AsyncConnection.connect(**self._connect_with)
            self._connection = connection
            # The size is asked for on a connection's first tick, which follows every failure.
            parameters: dict[str, Parameter] = {
                "tables": self._settings.tables,
                "with_size": self._ticks % SIZE_EVERY == 0,
            }
            row = await self._query.ask(connection, parameters)
        except BaseException as error:
            # Also reached long after a cancel, which psycopg itself takes up to ten seconds to obey.
            self._drop(connection)
            if isinstance(error, psycopg.Error):
                raise in_words(error, self._settings.timeout_s) from None
            if isinstance(error, OSError):
                raise BackendError(f"Postgres: {clean(error)}") from None
            raise
        self._ticks += 1
        if row is None:
            raise BackendError("Postgres counts nothing for this database")
        return row

    def _drop(self, connection: AsyncConnection | None) -> None:
        if connection is not None:
            if self._connection is connection:
                self._connection = None
            connection.pgconn.finish()
        self._ticks = 0

    def _prepare(self) -> None:
        """Find out what to connect with; blocks: it imports psycopg and may run the password's command.

        Raises:
            BackendError: the dsn is no use.
            ConfigError: the password is not where the configuration says.
        """
        load_driver()
        import psycopg.conninfo

        # It warns of abandoned queries, and what nobody handles Python prints to the screen.
        logging.getLogger("psycopg").addHandler(logging.NullHandler())
        self._query = RowQuery(bare(Path(__file__).with_suffix(".sql")))
        timeout_s = self._settings.timeout_s
        try:
            given = psycopg.conninfo.conninfo_to_dict(self._settings.dsn)
            password = None if self._settings.password is None else self._settings.password.reveal()
        except psycopg.Error:
            # Its text quotes the dsn, in which somebody may have put a password.
            raise BackendError("postgres.dsn is not written as libpq's keywords or URL") from None
        options = (
            "-c default_transaction_read_only=on"
            f" -c statement_timeout={int(timeout_s * 900)} -c lock_timeout={int(timeout_s * 500)}"
        )
        ours: dict[str, Any] = {
            "application_name": "ops-cockpit",
            "connect_timeout": max(2, int(timeout_s)),  # libpq knows no shorter one
            "options": f"{given.get('options') or ''} {options}".strip(),
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 2,
            "tcp_user_timeout": 4000,
            "autocommit": True,
            # Poolers in transaction mode lose prepared statements; planning costs a millisecond.
            "prepare_threshold": None,
        }
        self._connect_with = {**given, **ours} | ({} if password is None else {"password": password})
