"""Faults of the real PostgreSQL server: killed, a table lost, blocked, black-holed."""

from __future__ import annotations

import contextlib
from signal import SIGKILL

import psycopg
from psycopg import AsyncConnection

from cockpit.errors import SandboxError
from cockpit.sandbox.breakage import Breakage
from cockpit.sandbox.forkpool import ForkPool
from cockpit.sandbox.frozen import Freeze
from cockpit.sandbox.postgres_server import PostgresServer
from cockpit.sandbox.schema import BEGIN_ANEW
from cockpit.sandbox.signals import is_stopped

LOST_TABLE = "fills"
LOCK_TIMEOUT = "SET lock_timeout = '3s'"


class Killed:
    """kill -9 of the server; it stays down until somebody starts it."""

    def __init__(self, postgres: PostgresServer) -> None:
        self._postgres = postgres

    async def apply(self) -> None:
        """Kill it."""
        await self._postgres.kill(SIGKILL)
        await self._postgres.wait()

    async def mend(self) -> None:
        """Start it; it recovers by itself."""
        await self._postgres.start_ready()

    async def is_broken(self) -> bool:
        """Whether nobody has started it yet."""
        return not self._postgres.is_running


class TableLost:
    """A table was dropped; the dumps keep the last one that had it."""

    def __init__(self, postgres: PostgresServer) -> None:
        self._postgres = postgres

    async def apply(self) -> None:
        """Drop it."""
        async with await self._postgres.connect() as connection:
            await connection.execute(LOCK_TIMEOUT)
            await connection.execute(f"DROP TABLE {LOST_TABLE}")

    async def mend(self) -> None:
        """Make it again and let the writer fill everything from the ledger, if nobody has restored the dump."""
        if not await self.is_broken():
            return
        await self._postgres.create_tables()
        async with await self._postgres.connect() as connection, connection.transaction():
            await connection.execute(LOCK_TIMEOUT)
            await connection.execute(BEGIN_ANEW)

    async def is_broken(self) -> bool:
        """Whether the table is missing."""
        try:
            async with await self._postgres.connect() as connection:
                answer = await connection.execute("SELECT to_regclass(%s) IS NULL", (LOST_TABLE,))
                row = await answer.fetchone()
                return bool(row and row[0])
        except (psycopg.Error, OSError):
            return True


class Blocker:
    """Somebody left a transaction open that locks a table against writers."""

    def __init__(self, postgres: PostgresServer) -> None:
        self._postgres = postgres
        self._connection: AsyncConnection | None = None

    async def apply(self) -> None:
        """Take the lock and go away."""
        connection = await self._postgres.connect(application="psql")
        try:
            await connection.execute(LOCK_TIMEOUT)
            await connection.execute("BEGIN")
            await connection.execute(f"LOCK TABLE {LOST_TABLE} IN EXCLUSIVE MODE")
        except BaseException:
            await connection.close()
            raise
        self._connection = connection

    async def mend(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            with contextlib.suppress(psycopg.Error, OSError):
                await self._connection.close()
            self._connection = None

    async def is_broken(self) -> bool:
        """Whether that backend still holds its lock."""
        if self._connection is None or self._connection.closed:
            return False
        holds = (
            "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = %s AND mode = 'ExclusiveLock' AND relation IS NOT NULL)"
        )
        try:
            async with await self._postgres.connect() as connection:
                answer = await connection.execute(holds, (self._connection.info.backend_pid,))
                row = await answer.fetchone()
                return bool(row and row[0])
        except (psycopg.Error, OSError):
            return True


class BlackHole:
    """Server and backends are stopped: connections are taken, nothing is answered."""

    def __init__(self, postgres: PostgresServer, pool: ForkPool) -> None:
        self._postgres = postgres
        self._freeze = Freeze(pool)

    async def apply(self) -> None:
        """Stop them.

        Raises:
            SandboxError: it is not running.
        """
        if not self._postgres.is_running:
            raise SandboxError("postgres is not running")
        await self._freeze.begin(self._postgres.pid)

    async def mend(self) -> None:
        """Let them go on."""
        self._freeze.end()

    async def is_broken(self) -> bool:
        """Whether the server is stopped."""
        return is_stopped(self._postgres.pid)


def postgres_breakages(postgres: PostgresServer, pool: ForkPool) -> dict[str, Breakage]:
    """All of them, by fault id."""
    return {
        "postgres-killed": Killed(postgres),
        "postgres-table-lost": TableLost(postgres),
        "postgres-blocker": Blocker(postgres),
        "postgres-blackhole": BlackHole(postgres, pool),
    }
