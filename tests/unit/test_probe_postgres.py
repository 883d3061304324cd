"""The Postgres probe against a real server: facts, locks, privileges, failures."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psycopg
import pytest
from msgspec import structs
from probe_servers import CLOCK, free_port, hang_up, settings, silence, speaking

from cockpit.clients import postgres_row
from cockpit.clients.postgres_row import Parameter, RowQuery
from cockpit.config import PostgresPart
from cockpit.errors import BackendError, ConfigError, Refused, TimedOut, Unreachable
from cockpit.model.backends import PostgresServer
from cockpit.probes.postgres import Counters, PostgresProbe, remember
from cockpit.sandbox.postgres_programs import programs_folder, server_account
from tests.patience import PATIENCE_S

T = TypeVar("T")
PASSWORD = "correct horse"
SOONER_S = 8.0
"""Than the driver gives up on a cancelled query: 10 s."""


@dataclass
class Server:
    folder: Path
    programs: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        account = server_account()
        who = {} if account is None else {"user": account.uid, "group": account.gid, "extra_groups": []}
        data = str(self.folder / "data")
        quick = ["-c", "fsync=off", "-c", "max_connections=30", "-c", "autovacuum=off"]
        self.process = subprocess.Popen(
            [self.programs / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(self.port), "-k", data, *quick],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, **who,
        )  # fmt: skip
        until(self.admin).close()

    def admin(self, database: str = "postgres") -> psycopg.Connection | None:
        try:
            return psycopg.connect(
                host=str(self.folder / "data"), port=self.port, dbname=database, user="postgres", autocommit=True
            )
        except psycopg.OperationalError:
            return None

    def each(self, what: signal.Signals) -> None:
        """Signal the postmaster and all its children."""
        assert self.process is not None
        listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True)
        for pid in [self.process.pid, *map(int, listed.stdout.split())]:
            os.kill(pid, what)

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(PATIENCE_S)


def until(read: Callable[[], T], within_s: float = PATIENCE_S) -> T:
    deadline = time.monotonic() + within_s
    while not (found := read()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="pgprobe-"))
    account = server_account()
    programs = programs_folder(account)
    if account is not None:
        os.chown(folder, account.uid, account.gid)
    who = {} if account is None else {"user": account.uid, "group": account.gid, "extra_groups": []}
    subprocess.run(
        [programs / "initdb", "-D", folder / "data", "-U", "postgres", "--no-sync", "--auth-local=trust",
         "--auth-host=scram-sha-256"], check=True, capture_output=True, **who,
    )  # fmt: skip
    found = Server(folder, programs, free_port())
    try:
        found.start()
        with found.admin() as admin:
            admin.execute(f"CREATE ROLE ops LOGIN PASSWORD '{PASSWORD}'")
            admin.execute("CREATE DATABASE hedgefund OWNER ops")
        with found.admin("hedgefund") as admin:
            admin.execute("CREATE TABLE orders (id bigint primary key); ALTER TABLE orders OWNER TO ops")
        yield found
    finally:
        found.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def ops(monkeypatch: pytest.MonkeyPatch) -> Callable[..., PostgresProbe]:
    monkeypatch.setenv("TEST_PG_PASSWORD", PASSWORD)

    def make(port: int, **more: object) -> PostgresProbe:
        part = {
            "dsn": f"host=127.0.0.1 port={port} dbname=hedgefund user=ops",
            "password": {"env": "TEST_PG_PASSWORD"},
            "tables": ["orders", "fills"],
            **more,
        }
        return PostgresProbe(settings(postgres=part), CLOCK)

    return make


async def read_until(probe: PostgresProbe, wanted: Callable[[PostgresServer], object]) -> PostgresServer:
    async with asyncio.timeout(PATIENCE_S):
        while not wanted(found := await probe.read()):
            await asyncio.sleep(0.05)
    return found


async def failure(probe: PostgresProbe, within_s: float = PATIENCE_S) -> BackendError:
    async with asyncio.timeout(within_s):
        with pytest.raises(BackendError) as caught:
            await probe.read()
    assert PASSWORD not in str(caught.value)
    return caught.value


async def test_facts_and_rates(server: Server, ops: Callable[..., PostgresProbe]) -> None:
    probe = ops(server.port)
    first = await probe.read()
    assert first.version.startswith("18") and first.max_connections == 30 and first.connections >= 1
    assert first.missing_tables == ("fills",) and first.size_bytes > 1_000_000
    assert first.blocked == () and first.commits_per_s is None and not first.is_in_recovery and first.replicas == 0
    with server.admin("hedgefund") as admin:
        for _ in range(50):
            admin.execute("INSERT INTO orders SELECT coalesce(max(id), 0) + 1 FROM orders")
    busy = await read_until(probe, lambda found: (found.commits_per_s or 0) > 10)
    assert busy.wal_bytes_per_s and busy.wal_bytes_per_s > 0 and busy.rollbacks_per_s == 0
    assert busy.size_bytes == first.size_bytes or busy.size_bytes > first.size_bytes
    await probe.close()


async def test_blocker_is_named_and_blocks_us_not(server: Server, ops: Callable[..., PostgresProbe]) -> None:
    probe = ops(server.port)
    role = f"host=127.0.0.1 port={server.port} dbname=hedgefund user=ops"
    async with await psycopg.AsyncConnection.connect(role, password=PASSWORD) as holder:
        await holder.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
        async with await psycopg.AsyncConnection.connect(role, password=PASSWORD) as waiter:
            waiting = asyncio.create_task(waiter.execute("SELECT count(*) FROM orders"))
            found = await read_until(probe, lambda found: found.blocked)
            (one,) = found.blocked
            assert one.pid == waiter.info.backend_pid and one.blocked_by == (holder.info.backend_pid,)
            assert one.user == "ops" and "count(*)" in one.query and one.waiting_s >= 0
            assert one.blocker_state == "idle in transaction" and "LOCK TABLE" in one.blocker_query
            assert found.oldest_transaction_s is not None and found.missing_tables == ("fills",)
            await holder.rollback()
            await waiting
            await waiter.rollback()
    await read_until(probe, lambda found: not found.blocked)
    await probe.close()


async def test_others_sessions_are_hidden_without_pg_monitor(server: Server, ops: Callable[..., PostgresProbe]) -> None:
    probe = ops(server.port)
    with server.admin("hedgefund") as holder, server.admin("hedgefund") as waiter:
        holder.execute("BEGIN; LOCK TABLE orders")
        pid = holder.info.backend_pid
        waiter.execute("SET statement_timeout = 60000")
        task = asyncio.create_task(asyncio.to_thread(waiter.execute, "SELECT 1 FROM orders"))
        found = await read_until(probe, lambda found: found.blocked)
        assert found.blocked[0].blocked_by == (pid,) and found.blocked[0].blocker_state == "unknown"
        assert found.connections >= 3
        holder.execute("ROLLBACK")
        await task
    await probe.close()


async def test_revoked_view_says_what_to_grant(server: Server, ops: Callable[..., PostgresProbe]) -> None:
    probe = ops(server.port)
    with server.admin("hedgefund") as admin:
        admin.execute("REVOKE SELECT ON pg_stat_replication FROM PUBLIC")
        error = await failure(probe)
        admin.execute("GRANT SELECT ON pg_stat_replication TO PUBLIC")
    assert isinstance(error, Refused) and "pg_stat_replication" in str(error) and "pg_monitor" in str(error)
    assert (await probe.read()).connections >= 1
    await probe.close()


async def test_connection_is_read_only(server: Server, ops: Callable[..., PostgresProbe]) -> None:
    probe = ops(server.port)
    await probe.read()
    connection = probe._wall._connection
    assert connection is not None
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        await connection.execute("CREATE TABLE evil (id int)")
    assert PASSWORD not in repr(connection) and PASSWORD not in str(connection.info.dsn)
    await probe.close()


async def test_wrong_password_then_the_right_one(
    server: Server, ops: Callable[..., PostgresProbe], monkeypatch: pytest.MonkeyPatch
) -> None:
    probe = ops(server.port)
    monkeypatch.setenv("TEST_PG_PASSWORD", "wrong")
    error = await failure(probe)
    assert isinstance(error, Refused) and str(error) == 'password authentication failed for user "ops"'
    monkeypatch.setenv("TEST_PG_PASSWORD", PASSWORD)
    assert (await probe.read()).version
    monkeypatch.delenv("TEST_PG_PASSWORD")
    await probe.close()


async def test_no_password_and_a_bad_dsn(ops: Callable[..., PostgresProbe]) -> None:
    with pytest.raises(ConfigError, match="TEST_NOWHERE is not set"):
        await ops(1, password={"env": "TEST_NOWHERE"}).read()
    unread = structs.replace(settings(), postgres=PostgresPart(dsn="host=127.0.0.1 hunter2"))
    bad = await failure(PostgresProbe(unread, CLOCK))
    assert "hunter2" not in str(bad) and "postgres.dsn" in str(bad)


async def test_killed_session_reconnects_on_the_next_tick(server: Server, ops: Callable[..., PostgresProbe]) -> None:
    probe = ops(server.port)
    await probe.read()
    with server.admin() as admin:
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ops-cockpit'")
    error = await failure(probe)
    assert "terminat" in str(error) or "hung up" in str(error)
    assert (await probe.read()).connections >= 1
    await probe.close()


async def test_frozen_server_is_abandoned_and_found_again(server: Server, ops: Callable[..., PostgresProbe]) -> None:
    probe = ops(server.port, timeout_s=1.5)
    await probe.read()
    server.each(signal.SIGSTOP)
    try:
        for _ in range(2):
            error = await failure(probe, SOONER_S)
            assert isinstance(error, TimedOut) and "did not answer within 1.5 s" in str(error)
    finally:
        server.each(signal.SIGCONT)
    assert (await probe.read()).connections >= 1
    await probe.close()


async def test_kill_9_and_restart(server: Server, ops: Callable[..., PostgresProbe]) -> None:
    probe = ops(server.port)
    assert (await probe.read()).version and server.process is not None
    server.each(signal.SIGKILL)
    server.process.wait(PATIENCE_S)
    await failure(probe)
    error = await failure(probe)
    assert isinstance(error, Unreachable)
    assert str(error) == f"cannot reach Postgres at 127.0.0.1:{server.port}: connection refused"
    until(lambda: started(server))
    after = await probe.read()
    assert after.commits_per_s is None
    await probe.close()


def started(server: Server) -> bool:
    """Start it anew: within a second of a kill -9 it may refuse to, as its children still hold shared memory."""
    (server.folder / "data" / "postmaster.pid").unlink(missing_ok=True)
    try:
        server.start()
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize(("say", "kind"), [(silence, TimedOut), (hang_up, BackendError)])
async def test_something_else_on_the_port(say: object, kind: type, ops: Callable[..., PostgresProbe]) -> None:
    async with speaking(say) as port:  # type: ignore[arg-type]
        assert isinstance(await failure(ops(port, timeout_s=0.7)), kind)


async def test_unknown_host(ops: Callable[..., PostgresProbe]) -> None:
    error = await failure(ops(1, dsn="host=no-such-host.invalid dbname=x", timeout_s=1.5))
    assert isinstance(error, BackendError)


def test_rates_start_anew_after_a_restart_or_a_reset() -> None:
    before: deque[Counters] = deque()
    assert remember(before, Counters(0, 1, 100, 0, 5)) is None
    assert remember(before, Counters(1, 1, 110, 0, 6)) == Counters(0, 1, 100, 0, 5)
    assert remember(before, Counters(9, 1, 120, 0, 7)) == Counters(1, 1, 110, 0, 6)
    assert remember(before, Counters(10, 2, 130, 0, 8)) is None
    assert remember(before, Counters(11, 2, 3, 0, 9)) is None


def test_this_driver_has_every_seam() -> None:
    """A new version of the driver that moves one fails here, and nowhere else."""
    assert postgres_row.missing() == ()


@pytest.fixture(params=["past its cursors", "by its cursors"])
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the driver as it is, and to one that no longer has what it promises nobody."""
    if request.param == "by its cursors":
        # The driver's own cursors need its seams where they are: it is looked for one that it never had.
        monkeypatch.setattr(postgres_row, "SEAMS", (*postgres_row.SEAMS, ("psycopg.generators", "execute_elsewhere")))
        assert postgres_row.missing() == ("psycopg.generators.execute_elsewhere",)
        monkeypatch.delattr(postgres_row, "_told")


@pytest.mark.usefixtures("_way")
async def test_a_row_is_told_as_the_driver_would_tell_it(server: Server) -> None:
    query = (
        b"SELECT %(texts)s::text[] AS texts, %(is_so)s AS is_so, %(text)s || '!' AS text, %(text)s = 'x' AS again,"
        b" 7 %% 4 AS rest, to_timestamp(1) AS at, '{\"a\": [1.5, null]}'::jsonb AS json,"
        b" NULL::bigint AS nothing, 1.5::float8 AS real"
    )
    parameters: dict[str, Parameter] = {
        "texts": ['a"b', "c\\d", "e,{f}", "NULL", "", "\u20ac"],
        "is_so": True,
        "text": "it's",
    }
    login = f"host=127.0.0.1 port={server.port} dbname=hedgefund user=ops"
    async with await psycopg.AsyncConnection.connect(login, password=PASSWORD) as connection:
        found = await RowQuery(query).ask(connection, parameters)
        cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
        assert found == await (await cursor.execute(query, parameters)).fetchone()
        assert found is not None and found["texts"] == parameters["texts"]
        assert await RowQuery(b"SELECT 1 AS one WHERE %(is_so)s").ask(connection, {"is_so": False}) is None
        with pytest.raises(psycopg.errors.UndefinedTable):
            await RowQuery(b"SELECT * FROM nowhere").ask(connection, {})
    with pytest.raises(psycopg.OperationalError):
        await RowQuery(b"SELECT 1").ask(connection, {})


@pytest.mark.usefixtures("_way")
async def test_a_database_without_an_encoding_is_asked_for_names_in_any(server: Server) -> None:
    login = f"host=127.0.0.1 port={server.port} dbname=hedgefund user=ops client_encoding=SQL_ASCII"
    query = b"SELECT length(%(name)s::text) AS bytes, %(names)s::text[] AS names"
    parameters: dict[str, Parameter] = {"name": "aufträge", "names": ["aufträge"]}
    async with await psycopg.AsyncConnection.connect(login, password=PASSWORD) as connection:
        found = await RowQuery(query).ask(connection, parameters)
        cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
        assert found == await (await cursor.execute(query, parameters)).fetchone()
