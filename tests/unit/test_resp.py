"""Redis' protocol as it may come: in pieces, with errors in place of replies, unasked, or from something else."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from cockpit.clients.redis_link import RedisLink
from cockpit.clients.redis_way import way_to
from cockpit.clients.resp import MOST_BYTES, ReplyError
from cockpit.config import RedisPart
from cockpit.errors import ConfigError, Refused, Unreachable
from cockpit.sandbox.served.certificate import self_signed

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def link_to(
    serve: Serve, url: str = "redis://localhost:{}/0", most_bytes: int = MOST_BYTES, **named: Any
) -> AsyncIterator[RedisLink]:
    server = await asyncio.start_server(serve, "localhost", 0, **named)
    link = RedisLink(RedisPart(url=url.format(server.sockets[0].getsockname()[1]), timeout_s=5.0), most_bytes)
    try:
        yield link
    finally:
        link.drop()
        server.close()


def saying(*answers: bytes, ends: bool = False) -> Serve:
    """Answers each question with the next of them, whatever it is."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.read(4096)
            writer.write(answer)
            await writer.drain()
        if ends:
            writer.close()

    return serve


async def test_replies_come_in_pieces_and_errors_in_their_place() -> None:
    async def in_pieces(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        for byte in b"*2\r\n$3\r\na\xffb\r\n-NOPERM nested\r\n-ERR a \xff b\r\n:7\r\n$-1\r\n":
            writer.write(bytes([byte]))
            await writer.drain()

    async with link_to(in_pieces) as link:
        pair, refused, seven, none = await link.ask([("A",), ("B",), ("C",), ("D",)])
        assert pair[0] == b"a\xffb" and isinstance(pair[1], ReplyError)
        assert (str(refused), seven, none) == ("ERR a � b", 7, None)


async def test_an_answer_without_an_end_is_not_kept_in_memory() -> None:
    """And what one answer came to is not held against the next."""
    large = b"$700000\r\n" + b"x" * 700_000 + b"\r\n"
    taken = 0

    async def flooding(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal taken
        for _ in range(2):
            await reader.read(4096)
            writer.write(large)
        await reader.read(4096)
        writer.write(b"*2\r\n$2\r\nhi\r\n$536870000\r\n")
        with contextlib.suppress(ConnectionError):
            while taken < 64 << 20:
                writer.write(b"x" * 65536)
                await writer.drain()
                taken += 65536

    async with link_to(flooding, most_bytes=1 << 20) as link:
        for name in ("A", "B"):
            (said,) = await link.ask([(name,)])
            assert len(said) == 700_000
        with pytest.raises(Refused, match="answered more than 1 MB"):
            await link.ask([("HGETALL", "policy:kill_switch")])
    assert taken < 32 << 20


@pytest.mark.parametrize(("unasked", "second"), [(b"+UNAS", b"TWO"), (b"+UNASKED\r\n", b"ONE")], ids=["begun", "whole"])
async def test_what_nobody_asked_for_is_never_taken_for_a_reply(unasked: bytes, second: bytes) -> None:
    async def talkative(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(b"+ONE\r\n")
        await reader.read(4096)
        writer.write(b"+TWO\r\n" + unasked)

    async with link_to(talkative) as link:
        # From where it was said, nothing more is believed; on another connection the first answer is ONE again.
        asked = [await link.ask([(name,)]) for name in ("A", "B")]
        assert asked == [[b"ONE"], [second]]
        if second == b"TWO":
            assert await link.ask([("C",)]) == [b"ONE"]


async def test_rubbish_that_nobody_asked_for_ends_the_connection_at_once() -> None:
    async def rambling(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(b"+ONE\r\n")
        await has_taken_it.wait()
        writer.write(b"rubbish\r\n")

    has_taken_it = asyncio.Event()
    async with link_to(rambling) as link:
        assert await link.ask([("A",)]) == [b"ONE"]
        line = link._line
        has_taken_it.set()
        async with asyncio.timeout(5.0):
            while line is not None and line.is_free:
                await asyncio.sleep(0)
        has_taken_it.clear()
        assert await link.ask([("B",)]) == [b"ONE"], "on another connection"


@pytest.mark.parametrize("words", ["ERR max number of clients reached", "DENIED Redis is running in protected mode"])
async def test_a_server_that_wants_no_connection_says_why(words: str) -> None:
    async def full(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"-{words}\r\n".encode())
        writer.close()

    async with link_to(full) as link:
        with pytest.raises(Refused, match=words):
            await link.ask([("A",), ("B",)])


async def test_a_refused_command_before_the_end_refuses_nothing_else() -> None:
    async with link_to(saying(b"-NOPERM no\r\n", ends=True)) as link:
        with pytest.raises(Unreachable, match="closed the connection") as told:
            await link.ask([("A",), ("B",)])
        assert told.value.was_sent


@pytest.mark.parametrize("rubbish", [b"HTTP/1.1 400 Bad Request\r\n", b"*1\r\n" * 20_000, b"*99999999999\r\n"])
async def test_rubbish_is_called_so(rubbish: bytes) -> None:
    async with link_to(saying(rubbish)) as link:
        with pytest.raises(Refused, match="is it a Redis"):
            await link.ask([("A",)])


async def test_over_tls_only_whom_the_named_authority_vouches_for(tmp_path: Path) -> None:
    made = self_signed()
    authority = tmp_path / "ca.pem"
    authority.write_text(made.certificate)
    url = "rediss://127.0.0.1:{}/0"
    async with link_to(saying(b"+ONE\r\n"), f"{url}?ssl_ca_certs={authority}", ssl=made.context()) as link:
        assert await link.ask([("A",)]) == [b"ONE"]
    async with link_to(saying(b"+ONE\r\n"), url, ssl=made.context()) as link:
        with pytest.raises(Unreachable, match="TLS failed"):
            await link.ask([("A",)])


def test_who_we_are_and_which_database_are_said_first() -> None:
    assert way_to("redis://h/3").greeting("word") == [("AUTH", "word"), ("SELECT", 3)]
    assert way_to("redis://ops@h").greeting(None) == [("AUTH", "ops", "")]
    assert way_to("redis://h/0?socket_timeout=5").greeting(None) == []


def test_certificates_are_checked_unless_the_address_says_otherwise() -> None:
    strict, lax = way_to("rediss://h").context(), way_to("rediss://h?ssl_cert_reqs=none").context()
    assert strict is not None and (strict.verify_mode, strict.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert lax is not None and lax.verify_mode == ssl.CERT_NONE


@pytest.mark.parametrize(
    "url", ["redis://h/x", "redis://h/0?ssl_certfile=x", "rediss://h?ssl_cacert=x", "unix://", "redis://[x/0"]
)
def test_an_address_that_is_not_understood_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=r"redis\.url: "):
        way_to(url)


def test_a_missing_certificate_is_the_configurations_fault() -> None:
    with pytest.raises(ConfigError, match="TLS files"):
        way_to("rediss://h?ssl_ca_certs=/nowhere/ca.pem").context()
