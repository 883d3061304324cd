"""Whether a command may have reached Redis: a line that breaks after it was sent, and one that was closed before."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from actions.kill_switch.intent import Write
from cockpit.clients.redis_link import RedisLink
from cockpit.clients.redis_write import RedisWriter
from cockpit.config import RedisPart
from cockpit.errors import BackendError
from cockpit.jobs.strike import strike

WRITE = Write(True, "asha@jump1", "test", 1)
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def dies_after_the_write(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server or a proxy that dies between the write and its answer."""
    while data := await reader.read(4096):
        if b"HSET" in data:
            writer.transport.abort()
            return
        writer.write(b"+OK\r\n" * max(1, data.count(b"$4\r\nTIME")))


async def serving(serve: Serve, timeout_s: float = 1.0) -> tuple[asyncio.Server, RedisPart]:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    return server, RedisPart(url=f"redis://127.0.0.1:{port}/0", timeout_s=timeout_s)


async def test_a_line_that_breaks_after_the_write_leaves_it_unknown() -> None:
    server, part = await serving(dies_after_the_write)
    outcome = await strike(RedisWriter(part), WRITE)
    server.close()
    assert (outcome.is_done, outcome.is_known) == (False, False)


async def test_nobody_listens_is_known_not_to_be_done() -> None:
    server, part = await serving(dies_after_the_write)
    server.close()
    await server.wait_closed()
    outcome = await strike(RedisWriter(part), WRITE)
    assert (outcome.is_done, outcome.is_known) == (False, True)


async def test_a_warm_line_that_was_closed_before_has_sent_nothing() -> None:
    lines: list[asyncio.StreamWriter] = []

    async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.append(writer)
        while await reader.read(4096):
            writer.write(b"+PONG\r\n")

    server, part = await serving(answers)
    link = RedisLink(part)
    assert await link.ask([("PING",)]) == [b"PONG"]
    server.close()
    lines[0].transport.abort()
    line = link._line
    assert line is not None
    async with asyncio.timeout(2.0):
        while line.is_free:
            await asyncio.sleep(0)
    with pytest.raises(BackendError) as told:
        await link.ask([("HSET", "k", "f", "v")])
    assert told.value.was_sent is False


async def test_silence_after_the_write_may_have_been_executed() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    server, part = await serving(silent, timeout_s=0.1)
    with pytest.raises(BackendError) as told:
        await RedisLink(part).ask([("PING",)])
    server.close()
    assert told.value.was_sent is True


async def test_a_denied_clock_does_not_deny_the_write() -> None:
    async def no_clock(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(4096):
            if b"HSET" in data:
                writer.write(b":4\r\n-NOPERM this user has no permissions to run the 'time' command\r\n")

    server, part = await serving(no_clock)
    outcome = await strike(RedisWriter(part), WRITE)
    server.close()
    assert outcome.is_done
