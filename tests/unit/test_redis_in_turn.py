"""What is asked of Redis in turn: one after the other, until something is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from cockpit.clients.redis_link import RedisLink
from cockpit.clients.resp import ReplyError, packed
from cockpit.config import RedisPart

IN_TURN = [packed(("EVALSHA", "x", 0, at)) for at in "abc"]


async def talked(replies: list[bytes], do: Callable[[RedisLink], Awaitable[None]]) -> list[bytes]:
    """What a server that answers so, a reply to each piece that it hears, has heard."""
    heard: list[bytes] = []
    left = iter(replies)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            heard.append(data)
            writer.write(next(left, b""))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    link = RedisLink(RedisPart(url=f"redis://127.0.0.1:{port}/0", timeout_s=1.0))
    try:
        await do(link)
    finally:
        link.drop()
        server.close()
    return heard


async def test_what_is_asked_in_turn_waits_for_the_answer_before() -> None:
    told: list[tuple[int, object]] = []

    async def do(link: RedisLink) -> None:
        replies = await link.ask([("TIME",)], in_turn=IN_TURN, heard=lambda at, reply: told.append((at, reply)))
        assert replies == [1, b"a", b"b", b"c"]

    heard = await talked([b":1\r\n$1\r\na\r\n", b"$1\r\nb\r\n", b"$1\r\nc\r\n"], do)
    assert heard == [packed(("TIME",)) + IN_TURN[0], *IN_TURN[1:]]
    assert told == [(0, b"a"), (1, b"b"), (2, b"c")]


async def test_a_reply_in_pieces_is_one() -> None:
    async def do(link: RedisLink) -> None:
        asking = asyncio.ensure_future(link.ask([("TIME",)], in_turn=IN_TURN[:1], heard=lambda *_: None))
        async with asyncio.timeout(2.0):
            while link._line is None or link._line._answered is None:
                await asyncio.sleep(0)
        words = b"*2\r\n:1\r\n$2\r\n\r\n\r\n$1\r\na\r\n"
        for at in range(len(words)):
            assert not asking.done()
            link._line.data_received(words[at : at + 1])
        assert await asking == [[1, b"\r\n"], b"a"]

    await talked([], do)


async def test_nothing_follows_a_refusal() -> None:
    async def do(link: RedisLink) -> None:
        (_, refused) = await link.ask([("TIME",)], in_turn=IN_TURN, heard=lambda *_: None)
        assert isinstance(refused, ReplyError)
        assert await link.ask([("PING",)]) == [b"PONG"], "the line is as good as before"

    heard = await talked([b":1\r\n-NOSCRIPT no such\r\n", b"+PONG\r\n"], do)
    assert len(heard) == 2
