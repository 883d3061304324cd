"""Taking a snapshot as a step: Redis' own file and the ledger, kept, verified, and good enough to come back from."""

from __future__ import annotations

import base64
import json
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cockpit.clients.ledger_copy import verify_ledger
from cockpit.clients.redis_save import RedisKeeper
from cockpit.errors import Refused
from cockpit.model.job import Phase
from cockpit.model.plan import Confirmation
from cockpit.sandbox.layout import Layout
from tests.sandbox.conftest import Control, wait_until
from tests.sandbox.lone_redis import lone_redis
from tests.sandbox.step_desk import StepDesk, opened, told

TAKE = "snapshot.take"


@pytest.fixture(scope="module")
def desk(sandbox: tuple[Layout, Control]) -> Iterator[StepDesk]:
    with opened(*sandbox) as found:
        yield found


def test_redis_and_the_ledger_are_kept(desk: StepDesk) -> None:
    plan = desk.allowed(TAKE)
    assert plan.phrase is None and len(plan.steps) == 4
    job = desk.ended(desk.session.submit(plan, Confirmation(plan.digest, "y")).result(15))
    assert job.phase is Phase.DONE, told(job)
    folder = Path(job.steps[3].detail)
    assert folder.parent == desk.layout.root / "backups" / "cockpit"
    assert sorted(one.name for one in folder.iterdir()) == ["ledger.db", "manifest.json", "redis.rdb"]
    assert {stat.S_IMODE(one.stat().st_mode) for one in folder.iterdir()} == {0o600}
    assert "Redis' whole file" in job.steps[2].detail and "hash chain verified" in job.steps[0].detail, told(job)
    chain = verify_ledger(folder / "ledger.db", lambda _: None)
    assert chain.events > 0 and chain.fault is None
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["ledger"]["head"] == chain.head and manifest["world"] == "SANDBOX"


def test_with_redis_down_the_ledger_is_kept(desk: StepDesk) -> None:
    desk.control.inject("redis-killed")
    try:
        wait_until(lambda: desk.snapshot.redis.error)
        plan = desk.allowed(TAKE)
        assert dict(plan.parameters) == {"ledger": "yes", "redis": "no"} and plan.title == "Snapshot the ledger"
        job = desk.ended(desk.submit(plan))
        assert job.phase is Phase.DONE, told(job)
    finally:
        desk.control.clear()
        wait_until(lambda: desk.snapshot.redis.error is None)


def test_a_broken_ledger_is_kept_and_called_broken(desk: StepDesk) -> None:
    file = desk.layout.ledger
    with closing(sqlite3.connect(file)) as ledger:
        ((payload,),) = ledger.execute("SELECT payload FROM events WHERE id = 7").fetchall()
        ledger.execute("UPDATE events SET payload = ? WHERE id = 7", (payload.replace("1", "2", 1),))
        ledger.commit()
    try:
        job = desk.ended(desk.take(TAKE))
        assert job.phase is Phase.FAILED and "row 7 is broken" in (job.error or ""), told(job)
        assert (Path(job.steps[3].detail) / "ledger.db").is_file()
    finally:
        with closing(sqlite3.connect(file)) as ledger:
            ledger.execute("UPDATE events SET payload = ? WHERE id = 7", (payload,))
            ledger.commit()


async def test_keys_come_back_with_their_groups_and_a_failed_save_is_said(tmp_path: Path) -> None:
    with lone_redis(tmp_path) as server:
        client = server.client
        client.hset("positions", "AAPL", '{"qty": 5}')
        for number in range(20):
            client.xadd("orders.validated", {"json": str(number)})
        client.xgroup_create("orders.validated", "router", id="0")
        client.xreadgroup("router", "one", {"orders.validated": ">"}, count=3)
        keeper = RedisKeeper(server.settings())
        try:
            content, count = await keeper.keys(lambda _: None)
            # A folder of that name: the file cannot be put in its place.
            (tmp_path / "dump.rdb").mkdir()
            with pytest.raises(Refused, match="its save FAILED"):
                await keeper.save(20.0, lambda _: None)
        finally:
            keeper.close()
        assert count == 2
        client.flushall()
        for line in content.decode().splitlines():
            row = json.loads(line)
            client.restore(row["key"], row["ttl_ms"], base64.b64decode(row["dump"]))
        assert client.hgetall("positions") == {"AAPL": '{"qty": 5}'} and client.xlen("orders.validated") == 20
        assert client.xpending("orders.validated", "router")["pending"] == 3


async def test_a_save_that_waits_for_the_append_only_file_has_not_failed(tmp_path: Path) -> None:
    """Nor is it the failure before it that is told of it."""
    with lone_redis(tmp_path) as server:
        client = server.client
        for number in range(60):
            client.set(f"key-{number}", "x")
        (tmp_path / "dump.rdb").mkdir()
        client.bgsave()
        wait_until(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err")
        (tmp_path / "dump.rdb").rmdir()
        client.config_set("rdb-key-save-delay", 30_000)
        client.bgrewriteaof()  # which takes 2 s by that delay
        wait_until(lambda: client.info("persistence")["aof_rewrite_in_progress"] == 1)
        client.config_set("rdb-key-save-delay", 0)
        said: list[str] = []
        keeper = RedisKeeper(server.settings())
        try:
            saved = await keeper.save(30.0, said.append)
        finally:
            keeper.close()
        assert (tmp_path / "dump.rdb").stat().st_mtime >= saved.begun_at
        assert any("append-only file" in one for one in said)
