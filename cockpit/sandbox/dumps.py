"""A `pg_dump -Fc` of database hedgefund each minute, kept only when it is whole."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psycopg

from cockpit.sandbox.layout import Layout
from cockpit.sandbox.postgres_server import PostgresServer
from cockpit.sandbox.processes import run
from cockpit.sandbox.schema import DATABASE, ROLE, TABLES

INTERVAL_S = 60.0
RETRY_S = 0.5
"""Also how long it takes from the first fill to the first dump."""
TIMEOUT_S = 20.0
LOCK_WAIT_MS = 2000


class Dumps:
    """Writes the newest dump beside the old one and renames it over that, so that there is always one to restore."""

    def __init__(self, layout: Layout, postgres: PostgresServer) -> None:
        self._layout = layout
        self._postgres = postgres
        self._log = layout.logs / "dump.log"

    async def run(self) -> None:
        """Dump as soon as there are fills, then each minute."""
        while True:
            is_kept = await self._has_fills() and await self.dump()
            await asyncio.sleep(INTERVAL_S if is_kept else RETRY_S)

    async def _has_fills(self) -> bool:
        try:
            async with await self._postgres.connect(application="dump") as connection:
                answer = await connection.execute("SELECT EXISTS (SELECT FROM fills)")
                row = await answer.fetchone()
                return bool(row and row[0])
        except (psycopg.Error, OSError):
            return False

    async def dump(self) -> bool:
        """Make one dump; False (and the old one stays) when it failed or lacks a table."""
        unfinished = self._layout.dump.with_suffix(".unfinished")
        command = [str(self._postgres.programs / "pg_dump"), "-Fc", "-h", "127.0.0.1", "-U", ROLE, "-d", DATABASE]
        command += ["-p", str(self._layout.ports.postgres), "-w", f"--lock-wait-timeout={LOCK_WAIT_MS}"]
        code, _ = await self._run([*command, "-f", str(unfinished)])
        if code != 0 or not await self._is_whole(unfinished):
            unfinished.unlink(missing_ok=True)
            return False
        unfinished.rename(self._layout.dump)
        return True

    async def _is_whole(self, dump: Path) -> bool:
        """A dump made while a table was missing must not replace the one that still has it."""
        code, contents = await self._run([str(self._postgres.programs / "pg_restore"), "-l", str(dump)])
        return code == 0 and all(f"TABLE DATA public {table} " in contents for table in TABLES)

    async def _run(self, command: list[str]) -> tuple[int, str]:
        environment = {"PGPASSFILE": str(self._postgres.pgpass), "PATH": "/usr/bin:/bin", "LC_ALL": "C"}
        self._log.unlink(missing_ok=True)
        return await run(command, log=self._log, folder=self._layout.root, environment=environment, timeout_s=TIMEOUT_S)
