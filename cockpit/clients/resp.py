"""One connection that speaks Redis' protocol: many commands out, a reply to each, one question at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import hiredis

from cockpit.clients.connection import Connection

Reply = Any
"""Bytes, an int, None, a list of these, or the ReplyError that the server replied instead."""
Command = Sequence[str | bytes | int | float]
Heard = Callable[[int, Reply], None]
"""Told of each reply to what is asked in turn, and which one it is, when the next question is on its way."""
MOST_BYTES = 32 << 20
"""What the answers to one question may come to, where nobody says otherwise; those of 10,000 streams are 1.6 MB."""
_UNFINISHED = object()
_pack: Any = hiredis.pack_command
_LAST_WORDS = ("ERR max number of clients", "DENIED ")
"""With these it closes a connection that it does not want, whatever was asked."""


class ReplyError(Exception):
    """What the server replied is an error: its own words, the code first."""


class Resp(Connection):
    """Redis' protocol, spoken by whoever packs the commands.

    A client that can do all of Redis takes as long to load as all that the wall needs, and a reply several times as
    long to read.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        super().__init__()
        self._reader = hiredis.Reader(replyError=ReplyError, notEnoughData=_UNFINISHED)
        self._replies: list[Reply] = []
        self._wanted = 0
        self._in_turn: Iterator[bytes] = iter(())
        self._turns = 0
        self._heard: Heard | None = None
        self._why: Exception | None = None
        self._came_bytes = 0

    async def exchange(
        self, commands: Sequence[Command], in_turn: Sequence[bytes] = (), heard: Heard | None = None
    ) -> list[Reply]:
        """Send all at once, return a reply to each; whatever goes wrong or is cancelled ends the connection.

        Of what is asked in turn, packed already, the first goes with the commands, each further one when the one before
        is answered, so that the server serves others between them; none follows one that is refused.

        Raises:
            ReplyError: it does not want the connection.
            hiredis.ProtocolError: it is no Redis, or says more than anybody asked for.
            EOFError: it closed the connection.
            OSError: the connection was lost.
        """
        assert self._transport is not None
        if self._transport.is_closing():
            raise self._why or EOFError
        if not commands:
            return []
        self._came_bytes = 0
        self._in_turn, self._turns, self._heard = iter(in_turn), -1, heard
        sent = b"".join([*map(packed, commands), next(self._in_turn, b"")])
        self._wanted = len(commands) + bool(in_turn)
        try:
            await self._ask(sent)
        finally:
            replies, self._replies, self._heard = self._replies, [], None
        return replies

    def data_received(self, data: bytes) -> None:
        """The event loop's: a piece of a reply, or what nobody has asked for."""
        is_asked = self._is_asked
        try:
            self._reader.feed(data)
            self._came_bytes += len(data)
            if self._came_bytes > self._most_bytes:
                raise hiredis.ProtocolError(f"answered more than {self._most_bytes >> 20} MB")
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


def packed(command: Command) -> bytes:
    r"""A command as Redis reads it.

    >>> packed(("SET", "k", 1.5))
    b'*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3\r\n1.5\r\n'
    """
    found: bytes = _pack(tuple(command))
    return found
