"""One connection that speaks Redis' protocol: many commands out, a reply to each, one question at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import hiredis

Reply = Any
"""Bytes, an int, None, a list of these, or the ReplyError that the server replied instead."""
Command = Sequence[str | bytes | int | float]
Heard = Callable[[int, Reply], None]
"""Told of each reply to what is asked in turn, and which one it is, when the next question is on its way."""
_UNFINISHED = object()
_pack: Any = hiredis.pack_command
_LAST_WORDS = ("ERR max number of clients", "DENIED ")
"""With these it closes a connection that it does not want, whatever was asked."""


class ReplyError(Exception):
    """What the server replied is an error: its own words, the code first."""


class Resp(asyncio.Protocol):
    """A connection that was made; whoever uses it bounds the time.

    A client that can do all of Redis takes as long to load as all that the wall needs, and a reply several times as
    long to read.
    """

    def __init__(self) -> None:
        self._reader = hiredis.Reader(replyError=ReplyError, notEnoughData=_UNFINISHED)
        self._transport: asyncio.Transport | None = None
        self._replies: list[Reply] = []
        self._wanted = 0
        self._in_turn: Iterator[bytes] = iter(())
        self._turns = 0
        self._heard: Heard | None = None
        self._answered: asyncio.Future[None] | None = None
        self._why: Exception | None = None

    @property
    def is_free(self) -> bool:
        """Whether it stands, as far as has been heard, and nobody waits for a reply."""
        return self._transport is not None and not self._transport.is_closing() and self._answered is None

    async def exchange(
        self, commands: Sequence[Command], in_turn: Sequence[bytes] = (), heard: Heard | None = None
    ) -> list[Reply]:
        """Send all at once, return a reply to each; whatever goes wrong or is cancelled ends the connection.

        Of what is asked in turn, packed already, the first goes with the commands, each further one when the one before
        is answered, so that the server serves others between them; none follows one that is refused.

        Raises:
            ReplyError: it does not want the connection.
            hiredis.ProtocolError: it is no Redis.
            EOFError: it closed the connection.
            OSError: the connection was lost.
        """
        assert self._transport is not None
        if self._transport.is_closing():
            raise self._why or EOFError
        if not commands:
            return []
        self._in_turn, self._turns, self._heard = iter(in_turn), -1, heard
        sent = b"".join([*map(packed, commands), next(self._in_turn, b"")])
        self._wanted = len(commands) + bool(in_turn)
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(sent)
        try:
            await self._answered
        except BaseException:
            self.abort()
            raise
        finally:
            replies, self._replies, self._answered, self._heard = self._replies, [], None, None
        return replies

    def abort(self) -> None:
        """Close it at once; nothing here waits for a peer that may never answer."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The event loop's: it stands."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """The event loop's: a piece of a reply, or what nobody has asked for."""
        is_asked = self._answered is not None and not self._answered.done()
        try:
            self._reader.feed(data)
            while (reply := self._reader.gets()) is not _UNFINISHED:
                self._replies.append(reply)
                if self._heard is not None and len(self._replies) == self._wanted:
                    self._take_turn(self._heard, reply)
        except Exception as error:
            self._end(error)
            self.abort()
            return
        if not is_asked or len(self._replies) > self._wanted:
            # Whatever it is, the replies after it would be taken for those to another question.
            self._why = self._refusal()
            self._end(EOFError())
            self.abort()
        elif len(self._replies) == self._wanted:
            self._end(None)
            if self._reader.has_data():
                self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """The event loop's: it is gone."""
        self._end(self._refusal() or exc or EOFError())

    def _take_turn(self, heard: Heard, reply: Reply) -> None:
        self._turns += 1
        following = None if isinstance(reply, ReplyError) else next(self._in_turn, None)
        if following is not None and self._transport is not None:
            self._transport.write(following)
            self._wanted += 1
        heard(self._turns, reply)

    def _refusal(self) -> Exception | None:
        first = self._replies[0] if len(self._replies) == 1 else None
        return first if isinstance(first, ReplyError) and str(first).startswith(_LAST_WORDS) else None

    def _end(self, error: Exception | None) -> None:
        if self._answered is None or self._answered.done():
            return
        if error is None:
            self._answered.set_result(None)
        else:
            self._answered.set_exception(error)


def packed(command: Command) -> bytes:
    r"""A command as Redis reads it.

    >>> packed(("SET", "k", 1.5))
    b'*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3\r\n1.5\r\n'
    """
    found: bytes = _pack(tuple(command))
    return found
