"""A Redis that is ill: one line that an operator understands, and everything back on the next tick once it is well."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from redis_servers import PROGRAMS, Server, serving, until

from cockpit.clients.redis_link import RedisLink
from cockpit.clients.redis_write import RedisWriter
from cockpit.clock import SystemClock
from cockpit.config import RedisPart
from cockpit.errors import Refused, TimedOut, Unreachable
from cockpit.model.backends import RedisServer
from cockpit.probes.redis_wall import RedisProbes
from tests.patience import PATIENCE_S

CLOCK = SystemClock()
TIMEOUT_S = 0.3
SAVING = ("--save", "3600", "1", "--appendonly", "no")


@pytest.fixture(params=PROGRAMS, ids=lambda program: Path(program).name)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    with serving(request.param, tmp_path, *SAVING) as running:
        running.add("risk.metrics", {"book": "main"})
        running.client.hset("policy:kill_switch", mapping={"enabled": "false"})
        yield running
        with contextlib.suppress(AssertionError):
            running.signal(signal.SIGCONT)


@pytest.fixture
async def probes(server: Server) -> AsyncIterator[RedisProbes]:
    """Patient: a server that is well may be slow."""
    probing = RedisProbes(server.settings(timeout_s=PATIENCE_S), CLOCK)
    assert await errors(probing) == set()
    yield probing
    await probing.close()


@pytest.fixture
async def writer(server: Server) -> AsyncIterator[RedisWriter]:
    part = server.settings(timeout_s=PATIENCE_S).redis
    assert part is not None
    writing = RedisWriter(part)
    await writing.connect()
    yield writing
    await writing.close()


async def errors(probes: RedisProbes) -> set[str]:
    return {sample.error for sample in (await probes.tick()).values() if sample.error}


async def redis_of(probes: RedisProbes) -> RedisServer:
    sample = (await probes.tick())["redis"]
    assert sample.error is None and isinstance(sample.value, RedisServer)
    return sample.value


def break_snapshots(server: Server) -> Path:
    """A folder where the snapshot should go: BGSAVE fails, writes are refused with MISCONF."""
    block = server.folder / "dump.rdb"
    block.mkdir()
    (block / "x").touch()
    with contextlib.suppress(Exception):
        server.client.bgsave()
    until(lambda: server.client.info("persistence")["rdb_last_bgsave_status"] == "err")
    return block


async def test_killed_and_started_again(server: Server, probes: RedisProbes) -> None:
    server.kill()
    assert await errors(probes) == {f"refused the connection (127.0.0.1:{server.port})"}
    samples = await probes.tick()
    assert samples["kill_switch"].value is not None, "the last good value is kept"
    server.start(*SAVING)
    assert await errors(probes) <= {"there is no stream risk.metrics"}


async def test_restarted_between_two_ticks(server: Server, probes: RedisProbes) -> None:
    server.kill()
    server.start(*SAVING)
    assert await errors(probes) <= {"there is no stream risk.metrics"}


async def test_hung(server: Server) -> None:
    hung = {f"connected, but no answer in time (127.0.0.1:{server.port})"}
    probes = RedisProbes(server.settings(timeout_s=TIMEOUT_S), CLOCK)
    deadline = time.monotonic() + PATIENCE_S
    while await errors(probes):  # a busy machine may need longer for an answer
        assert time.monotonic() < deadline
    server.signal(signal.SIGSTOP)
    for _ in range(3):
        async with asyncio.timeout(PATIENCE_S):
            assert await errors(probes) == hung
    server.signal(signal.SIGCONT)
    while await errors(probes):
        assert time.monotonic() < deadline
    await probes.close()


async def test_out_of_memory_is_still_read(server: Server, probes: RedisProbes, writer: RedisWriter) -> None:
    server.client.config_set("maxmemory", 1)
    assert await errors(probes) == set()
    assert (await redis_of(probes)).limit_bytes == 1
    with pytest.raises(Refused, match="OOM"):
        await writer.set_kill_switch(True, "asha", "test", 1)
    server.client.config_set("maxmemory", 0)
    assert (await redis_of(probes)).limit_bytes is None
    await writer.set_kill_switch(True, "asha", "test", 1)


async def test_misconf_is_still_read(server: Server, probes: RedisProbes, writer: RedisWriter) -> None:
    block = break_snapshots(server)
    assert await errors(probes) == set()
    found = await redis_of(probes)
    assert (found.refuses_writes, found.is_save_ok, found.is_save_on) == (True, False, True)
    with pytest.raises(Refused, match="MISCONF"):
        await writer.set_kill_switch(True, "asha", "test", 1)
    (block / "x").unlink()
    block.rmdir()
    server.client.save()
    assert (await redis_of(probes)).refuses_writes is False


async def test_a_replica_is_read_and_refuses_writes(server: Server, probes: RedisProbes, writer: RedisWriter) -> None:
    server.client.replicaof("127.0.0.1", 1)
    found = await redis_of(probes)
    assert (found.role, found.primary_link) == ("replica", "down")
    assert await errors(probes) == set()
    with pytest.raises(Refused, match="READONLY"):
        await writer.set_kill_switch(True, "asha", "test", 1)
    server.client.config_set("replica-serve-stale-data", "no")
    assert await errors(probes) == {"is a replica that lost its primary"}
    assert (await redis_of(probes)).role == "replica"
    server.client.replicaof("no", "one")
    assert await errors(probes) == set()


async def test_loading(server: Server, probes: RedisProbes) -> None:
    # In pieces: on a busy machine a script that fills it at once keeps it BUSY, and its client gives up.
    for n in range(60):
        fill = "for i = 1, 15000 do redis.call('SET', KEYS[1] .. i, ARGV[1]) end"
        server.client.eval(fill, 1, f"k{n}:", "x" * 20)
    server.client.save()
    server.kill()
    server.start(*SAVING, is_waited=False)
    deadline = time.monotonic() + PATIENCE_S
    while "is loading its data" not in await errors(probes):
        assert time.monotonic() < deadline
    samples = await probes.tick()
    if samples["kill_switch"].error == "is loading its data":
        assert samples["redis"].error is None and samples["redis"].value.is_loading
    while await errors(probes):
        assert time.monotonic() < deadline
    assert not (await redis_of(probes)).is_loading


async def test_flushed_scripts_are_loaded_again(server: Server, probes: RedisProbes) -> None:
    server.client.script_flush()
    assert await errors(probes) == set()


async def test_passwords(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    async def error(**part: Any) -> set[str]:
        probing = RedisProbes(server.settings(**part), CLOCK)
        found = await errors(probing)
        samples = (await probing.tick()).values()
        assert {sample.is_denied for sample in samples} == {bool(found) and "variable" not in str(found)}
        await probing.close()
        return found

    monkeypatch.setenv("REDIS_WORD", "hunter2")
    named: dict[str, Any] = {"password": {"env": "REDIS_WORD"}}
    assert await error(**named) == {"a password is configured, but the server asks for none"}
    server.client.config_set("requirepass", "other")
    assert await error(**named) == {"wrong password"}
    assert await error() == {"needs a password, none is configured"}
    monkeypatch.setenv("REDIS_WORD", "other")
    assert await error(**named) == set()
    monkeypatch.delenv("REDIS_WORD")
    assert await error(**named) == {"the environment variable REDIS_WORD is not set"}


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("unix:///nowhere/redis.sock", "no such socket (/nowhere/redis.sock)"),
        ("redis://nowhere.invalid:7", "its name cannot be resolved (nowhere.invalid:7)"),
        ("http://127.0.0.1", "redis.url: it must begin with redis://"),
    ],
)
async def test_addresses_that_lead_nowhere(url: str, said: str, tmp_path: Path) -> None:
    settings = Server(PROGRAMS[0], tmp_path).settings()
    assert settings.redis is not None
    settings = structs.replace(settings, redis=structs.replace(settings.redis, url=url))
    (found,) = await errors(RedisProbes(settings, CLOCK))
    assert found.startswith(said)


async def test_a_server_that_is_no_redis(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(PROGRAMS[0], tmp_path)
        server.port = listener.getsockname()[1]
        probes = RedisProbes(server.settings(timeout_s=TIMEOUT_S), CLOCK)
        assert await errors(probes) == {f"connected, but no answer in time (127.0.0.1:{server.port})"}


async def test_the_kill_switch_is_written_whole_and_read_back(server: Server, writer: RedisWriter) -> None:
    await writer.set_kill_switch(True, "asha@jump1", "drill", 1_700_000_000_000)
    whole = {"enabled": "true", "by": "asha@jump1", "reason": "drill", "ts": "1700000000000"}
    assert await writer.read_kill_switch() == whole == server.client.hgetall("policy:kill_switch")
    assert writer.written_ms is not None and abs(writer.written_ms - await writer.now_ms()) < 5000


async def test_nobody_writes_between_the_look_and_the_release(server: Server, writer: RedisWriter) -> None:
    key = "policy:kill_switch"
    server.client.hset(key, mapping={"enabled": "true", "by": "asha"})

    def halted_anew(_: dict[str, str]) -> bool:
        server.client.hset(key, mapping={"enabled": "true", "by": "risk-manager"})
        return True

    with pytest.raises(Refused, match="changed at this very moment"):
        await writer.set_kill_switch(False, "asha", "over", 1, halted_anew)
    assert server.client.hget(key, "by") == "risk-manager"
    await writer.set_kill_switch(False, "asha", "over", 1, lambda found: found["by"] == "risk-manager")
    assert server.client.hget(key, "enabled") == "false"


async def test_without_transactions_nothing_is_released(server: Server) -> None:
    server.client.hset("policy:kill_switch", mapping={"enabled": "true"})
    rights = ("~*", "+@all", "-multi")
    server.client.execute_command("ACL", "SETUSER", "narrow", "reset", "on", "nopass", *rights)
    writer = RedisWriter(RedisPart(url=f"redis://narrow@127.0.0.1:{server.port}/0"))
    with pytest.raises(Refused, match="no permission"):
        await writer.set_kill_switch(False, "asha", "over", 1, lambda _: True)
    assert server.client.hget("policy:kill_switch", "enabled") == "true"
    await writer.close()


async def test_a_keepalive_that_hangs_does_not_hold_up_the_write(server: Server) -> None:
    part = server.settings(timeout_s=PATIENCE_S).redis
    assert part is not None
    writer = RedisWriter(part)
    await writer.connect()
    server.client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    await writer.set_kill_switch(True, "asha", "the idle connection was closed", 1)
    server.signal(signal.SIGSTOP)
    hanging = asyncio.create_task(writer.keepalive())
    await asyncio.sleep(0)
    write = asyncio.create_task(writer.set_kill_switch(True, "asha", "test", 2))
    await asyncio.sleep(0)
    server.signal(signal.SIGCONT)
    await asyncio.gather(hanging, write)
    assert (await writer.read_kill_switch())["ts"] == "2"
    await writer.close()


async def test_a_write_that_is_not_answered(server: Server, writer: RedisWriter) -> None:
    part = server.settings(timeout_s=TIMEOUT_S).redis
    assert part is not None
    hasty = RedisWriter(part)
    server.signal(signal.SIGSTOP)
    with pytest.raises(TimedOut, match="connected, but no answer in time"):
        await hasty.set_kill_switch(True, "asha", "test", 1)
    await hasty.close()
    server.kill()
    with pytest.raises(Unreachable, match="refused the connection"):
        await writer.set_kill_switch(True, "asha", "test", 1)


async def test_orders_that_may_add_risk(server: Server, writer: RedisWriter) -> None:
    assert await writer.newest_validated_id() == "0-0"
    server.add("orders.validated", {"order_id": "before"})
    last = await writer.newest_validated_id()
    server.add("orders.validated", {"order_id": "reduces", "reduce_only": True})
    server.add("orders.validated", {"order_id": "adds", "reduce_only": False, "qty": 5})
    server.add("orders.validated", {"order_id": "claims", "reduce_only": "true"})
    server.add("orders.validated", "garbage")
    found = await writer.validated_since(last)
    assert [order.order_id for order in found] == ["adds", "claims", None]
    assert found[0].qty == 5.0


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: Path(program).name)
@pytest.mark.parametrize(
    ("options", "words", "proof"),
    [
        (("--save", "", "--appendonly", "no"), "memory only: a crash loses it", None),
        (("--save", "", "--appendonly", "yes", "--appendfsync", "always"), "AOF always", "append-only file"),
        (("--save", "", "--appendonly", "yes", "--appendfsync", "everysec"), "AOF everysec", "append-only file"),
    ],
)
async def test_durability(
    program: str, tmp_path: Path, options: tuple[str, ...], words: str, proof: str | None
) -> None:
    with serving(program, tmp_path, *options) as server:
        part = server.settings(timeout_s=PATIENCE_S).redis
        assert isinstance(part, RedisPart)
        writer = RedisWriter(part)
        assert await writer.wait_durable(1.0) is None, "nothing was written"
        await writer.set_kill_switch(True, "asha", "test", 1)
        assert (await writer.durability()).words == words
        found = await writer.wait_durable(PATIENCE_S)
        assert found is None if proof is None else found is not None and proof in found
        server.kill()
        server.start(*options)
        assert bool(await writer.read_kill_switch()) is (proof is not None), "the proof told the truth"
        await writer.close()


def test_no_password_reaches_an_error() -> None:
    part = RedisPart(url="redis://user:hunter2@127.0.0.1:1/0")
    assert "hunter2" not in RedisLink(part).place
