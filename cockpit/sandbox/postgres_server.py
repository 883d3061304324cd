"""The real PostgreSQL server with role hedgefund_user and database hedgefund; also container `postgres`."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from signal import SIGCONT, SIGINT, SIGKILL, SIGQUIT, SIGTERM, Signals

import psycopg
from psycopg import AsyncConnection, sql

from cockpit.errors import SandboxError
from cockpit.sandbox.container import ServerContainer
from cockpit.sandbox.credentials import write_private
from cockpit.sandbox.layout import Layout
from cockpit.sandbox.postgres_programs import programs_folder, server_account
from cockpit.sandbox.processes import Account, ServerProcess, run, spawn, working_in
from cockpit.sandbox.schema import CREATE, DATABASE, ROLE
from cockpit.sandbox.signals import family, send_all

READY_TIMEOUT_S = 20.0
ORPHANS_TIMEOUT_S = 2.0
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_permissions": "0700",
    "shared_buffers": "16MB",
    "max_connections": "40",
    "fsync": "off",  # a killed process loses nothing by it, only a crashed machine would
    "io_method": "sync",  # no further processes for a database of a few megabytes
    "max_logical_replication_workers": "0",
    "max_wal_senders": "2",
    "dynamic_shared_memory_type": "mmap",  # nothing stays in /dev/shm after a kill -9
    "min_wal_size": "4MB",
    "max_wal_size": "64MB",
    "jit": "off",
    "log_checkpoints": "off",
    "autovacuum_naptime": "60s",
}


class PostgresServer(ServerContainer):
    """One PostgreSQL cluster."""

    def __init__(self, layout: Layout, password: str) -> None:
        super().__init__("postgres", layout.logs / "postgres.log")
        self._layout = layout
        self._password = password
        self._version = "18"
        self.account: Account | None = server_account()
        self.programs = programs_folder(self.account)

    @property
    def image(self) -> str:
        """Named as the public image of this version would be."""
        return f"postgres:{self._version}"

    @property
    def command(self) -> tuple[str, ...]:
        """The process' command line."""
        folder = str(self._layout.postgres_dir)
        return (str(self.programs / "postgres"), "-D", folder, "-p", str(self._layout.ports.postgres), "-k", folder)

    @property
    def pgpass(self) -> Path:
        """The password of hedgefund_user, in the form that libpq reads."""
        return self._layout.folder / "pgpass"

    async def create(self) -> None:
        """Make the cluster.

        Raises:
            SandboxError: initdb failed.
        """
        folder = self._layout.postgres_dir
        folder.mkdir(mode=0o700)
        if self.account is not None:
            os.chown(folder, self.account.uid, self.account.gid)
        initdb = [str(self.programs / "initdb"), "-D", str(folder), "-U", "postgres", "-E", "UTF8", "--locale=C"]
        initdb += [
            "--no-sync",
            "--auth-local=trust",
            "--auth-host=scram-sha-256",
            "--wal-segsize=1",
            "--no-instructions",
        ]
        for name, value in SETTINGS.items():
            initdb += ["-c", f"{name}={value}"]
        code, output = await run(
            initdb, log=self.log, folder=folder, account=self.account, environment=self._environment()
        )
        if code != 0:
            raise SandboxError("initdb failed: " + " | ".join(output.splitlines()[-3:]))

    def spawned(self) -> ServerProcess:
        """Start the server on its cluster."""
        return spawn(
            self.command,
            log=self.log,
            folder=self._layout.postgres_dir,
            death_signal=SIGQUIT,  # it takes its shared memory along, which SIGKILL would leave behind
            account=self.account,
            environment=self._environment(),
        )

    async def start(self) -> None:
        """Start it once the backends of a killed server have let go of its memory, which takes them a moment."""
        deadline = asyncio.get_running_loop().time() + ORPHANS_TIMEOUT_S
        while not self.is_running and working_in(self._layout.postgres_dir):
            if asyncio.get_running_loop().time() > deadline:
                break
            await asyncio.sleep(0.02)
        await super().start()

    async def stop(self, timeout_s: float, signal: Signals = SIGTERM) -> None:
        """Shut down fast (SIGINT) where a container would be sent SIGTERM, then kill."""
        self._continue()
        await super().stop(timeout_s, SIGINT if signal == SIGTERM else signal)

    async def kill(self, signal: Signals) -> None:
        """Send the signal to the server and return at once."""
        if signal == SIGKILL:
            self._continue()
        await super().kill(signal)

    def _continue(self) -> None:
        """Backends that were stopped would outlive their server and keep its memory from the next one."""
        server, *backends = family(self.pid) or [0]
        send_all([*backends, server] if server else [], SIGCONT)

    async def start_ready(self) -> None:
        """Start, again where the children of a killed postmaster still hold its memory, and return once it answers.

        Raises:
            SandboxError: it does not come up.
        """
        deadline = asyncio.get_running_loop().time() + READY_TIMEOUT_S
        await self.start()
        while True:
            try:
                async with await self.connect(is_superuser=True, database="postgres") as connection:
                    self._version = str(connection.info.server_version // 10000)
                return
            except psycopg.OperationalError as error:  # refused, or 57P03: starting up
                if asyncio.get_running_loop().time() > deadline:
                    raise SandboxError(f"postgres did not start: {error} " + " | ".join(self.log_lines(3))) from error
            await asyncio.sleep(0.01 if self.is_running else 0.2)
            await self.start()

    async def create_database(self) -> None:
        """Make role, database and tables."""
        write_private(self.pgpass, f"127.0.0.1:{self._layout.ports.postgres}:*:{ROLE}:{self._password}\n")
        async with await self.connect(is_superuser=True, database="postgres") as connection:
            role = sql.SQL("CREATE ROLE {} LOGIN CREATEDB IN ROLE pg_monitor PASSWORD {}")
            await connection.execute(role.format(sql.Identifier(ROLE), sql.Literal(self._password)))
            owned = sql.SQL("CREATE DATABASE {} OWNER {}")
            await connection.execute(owned.format(sql.Identifier(DATABASE), sql.Identifier(ROLE)))
        await self.create_tables()

    async def create_tables(self) -> None:
        """Make the tables that are missing."""
        async with await self.connect() as connection:
            await connection.execute(CREATE)

    async def connect(
        self, *, is_superuser: bool = False, database: str = DATABASE, application: str = "sandbox"
    ) -> AsyncConnection:
        """Connect in autocommit as the role, or as the superuser over the unix socket that nobody else reaches."""
        port = self._layout.ports.postgres
        if is_superuser:
            host, user, password = str(self._layout.postgres_dir), "postgres", None
        else:
            host, user, password = "127.0.0.1", ROLE, self._password
        return await AsyncConnection.connect(
            host=host,
            port=port,
            user=user,
            password=password,
            dbname=database,
            application_name=application,
            connect_timeout=3,
            autocommit=True,
        )

    def _environment(self) -> dict[str, str]:
        """No PG* variable of ours may reach it; it must not look for a home folder either."""
        return {"PATH": f"{self.programs}:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", "HOME": "/"}
