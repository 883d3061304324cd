"""One connection to Redis: opened when needed, many commands a round trip, a deadline on the whole, errors in words."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from urllib.parse import urlsplit

from cockpit.clients.names import unresolved
from cockpit.clients.redis_way import RedisWay, way_to
from cockpit.clients.redis_words import FAILURES, failure
from cockpit.clients.resp import MOST_BYTES, Command, Heard, Reply, ReplyError, Resp
from cockpit.clients.revealing import Revealing
from cockpit.config import RedisPart
from cockpit.errors import BackendError, TimedOut, Unreachable

SILENT = "connected, but no answer in time"
"""It is the server that is slow, no longer the way to it."""


class RedisLink:
    """One connection at a time, without a pool or retries: they would hide for seconds that a server is gone."""

    def __init__(self, part: RedisPart, most_bytes: int = MOST_BYTES) -> None:
        """What the answers to one question come to is at most `most_bytes`."""
        self._part = part
        self._spoken = partial(Resp, most_bytes)
        self._password = Revealing(part.password)
        self._line: Resp | None = None
        self._phase = ""
        self._was_sent = False
        self.place = _place(part.url)

    async def ask(
        self,
        commands: Sequence[Command],
        timeout_s: float | None = None,
        *,
        may_reopen: bool = True,
        in_turn: Sequence[bytes] = (),
        heard: Heard | None = None,
    ) -> list[Reply]:
        """Send all commands at once, return a reply to each; a server's error is returned in its place.

        What is asked `in_turn` follows as Resp.exchange says, and each reply to it is told to `heard`. A connection
        that turns out to be closed (the server was restarted since) is opened anew once, unless the question is about
        what this very connection did.

        Raises:
            Unreachable: it refused, or closed a fresh connection.
            TimedOut: the whole took longer than `timeout_s` (the configured one where None).
            Refused: it does not let us in.
            Each says by `was_sent` whether the commands may have been executed all the same.
        """
        limit_s = self._part.timeout_s if timeout_s is None else timeout_s
        self._was_sent = False
        try:
            async with asyncio.timeout(limit_s):
                return await self._ask(commands, may_reopen, in_turn, heard)
        except TimeoutError:
            self.drop()
            late = TimedOut(unresolved(way_to(self._part.url).host) or self.late())
            late.was_sent = self._was_sent
            raise late from None
        except BaseException as error:
            # Replies may be under way: the connection cannot be used again.
            self.drop()
            if isinstance(error, BackendError):
                error.was_sent = self._was_sent
            raise

    def late(self) -> str:
        """What has not come about in time, of what is on its way."""
        return self.awaits() or (f"{self._phase} ({self.place})" if self._phase else "")

    def awaits(self) -> str:
        """What it cannot be asked without and is not there yet; empty where nothing is missing."""
        return self._password.awaits()

    async def _ask(
        self, commands: Sequence[Command], may_reopen: bool, in_turn: Sequence[bytes], heard: Heard | None
    ) -> list[Reply]:
        if self._line is not None and not self._line.is_free:
            # Known before anything is sent: nothing of it can have been executed.
            self.drop()
        if self._line is not None:
            try:
                return await self._exchange(self._line, commands, in_turn, heard)
            except Unreachable:
                if not may_reopen:
                    raise
                self.drop()
        if not may_reopen:
            raise Unreachable(f"closed the connection ({self.place})")
        await self.open()
        assert self._line is not None
        return await self._exchange(self._line, commands, in_turn, heard)

    async def open(self) -> None:
        """Connect, authenticate and select the database; the caller bounds the time."""
        self.drop()
        way = way_to(self._part.url)
        password = await self._password.get()
        self._phase = f"no {'TLS ' if way.tls is not None else ''}connection in time"
        line = await self._connected(way)
        # From here on it is the server that is slow, no longer the way to it.
        self._phase = SILENT
        try:
            for reply in await line.exchange(way.greeting(password)):
                if isinstance(reply, ReplyError):
                    raise reply
        except FAILURES as error:
            line.abort()
            raise failure(error, self.place) from None
        self._line = line

    async def _connected(self, way: RedisWay) -> Resp:
        loop, context = asyncio.get_running_loop(), way.context()
        try:
            if way.path is not None:
                return (await loop.create_unix_connection(self._spoken, way.path))[1]
            return (await loop.create_connection(self._spoken, way.host, way.port, ssl=context))[1]
        except FAILURES as error:
            raise failure(error, self.place) from None

    async def _exchange(
        self, line: Resp, commands: Sequence[Command], in_turn: Sequence[bytes] = (), heard: Heard | None = None
    ) -> list[Reply]:
        self._phase = SILENT
        self._was_sent = True
        try:
            return await line.exchange(commands, in_turn, heard)
        except FAILURES as error:
            raise failure(error, self.place) from None

    def drop(self) -> None:
        """Close the connection at once, if there is one."""
        line, self._line = self._line, None
        if line is not None:
            line.abort()


def _place(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return parts.path
    try:
        port = parts.port
    except ValueError:
        port = None
    return f"{parts.hostname or 'localhost'}:{port or 6379}"
