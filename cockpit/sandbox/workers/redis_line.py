"""One plain connection to Redis for a worker: batches out, replies back, with next to no CPU.

Packing and parsing are hiredis' own; a full client library costs several times as much at two hundred events a second.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable
from typing import Any

import hiredis

Command = tuple[str | int | float, ...]


class RedisTrouble(Exception):
    """Redis could not be used; try again later."""


class RedisLost(RedisTrouble):
    """No connection, or it broke: the outcome of what was sent is unknown."""


class RedisRefused(RedisTrouble):
    """Redis answered with an error: LOADING, MISCONF, OOM, READONLY, NOGROUP and so on."""

    @property
    def code(self) -> str:
        """The error's first word."""
        return str(self).partition(" ")[0]


class RedisLine:
    """Ask a batch of commands, get the list of replies."""

    def __init__(self, port: int, is_wanted: Callable[[], bool] = lambda: True, host: str = "127.0.0.1") -> None:
        self._address = (host, port)
        self._is_wanted = is_wanted
        self._socket: socket.socket | None = None
        self._reader = hiredis.Reader()
        self.generation = 0
        """Grows with each connection: what an older one had in flight must be looked up again."""

    def ask(self, *commands: Command) -> list[Any]:
        """Send the commands and return their replies; raises RedisRefused on the first error among them."""
        self.send(*commands)
        return self.receive(len(commands))

    def transact(self, *commands: Command) -> list[Any] | None:
        """Run the commands in one MULTI; None when a watched key has changed."""
        replies = self.ask(("MULTI",), *commands, ("EXEC",))[-1]
        for reply in replies or ():
            if isinstance(reply, hiredis.ReplyError):
                raise RedisRefused(str(reply))
        return list(replies) if replies is not None else None

    def send(self, *commands: Command) -> None:
        """Send the commands without waiting for replies."""
        connection = self._socket or self._connect()
        try:
            connection.sendall(b"".join([_pack(command) for command in commands]))
        except OSError as error:
            self.close()
            raise RedisLost(str(error)) from error

    def receive(self, count: int) -> list[Any]:
        """Wait for `count` replies.

        A server that is only slow or frozen is waited for as long as the worker is wanted: giving up on it and asking
        again on another connection could have the same transaction run twice.
        """
        replies: list[Any] = []
        while len(replies) < count:
            reply = self._reader.gets()
            if reply is False:
                self._read()
            else:
                replies.append(reply)
        for reply in replies:
            if isinstance(reply, hiredis.ReplyError):
                raise RedisRefused(str(reply))
        return replies

    def fileno(self) -> int:
        """The socket's descriptor, to wait on several things at once."""
        return self._socket.fileno() if self._socket else -1

    def close(self) -> None:
        """Close the connection; the next batch opens a new one."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def _connect(self) -> socket.socket:
        try:
            connection = socket.create_connection(self._address, timeout=1.0)
        except OSError as error:
            raise RedisLost(str(error)) from error
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(5.0)
        # Bytes that are not UTF-8 were not written by this platform, and must not stop it.
        self._reader = hiredis.Reader(encoding="utf-8", errors="replace", notEnoughData=False)
        self._socket = connection
        self.generation += 1
        return connection

    def _read(self) -> None:
        connection = self._socket
        if connection is None:
            raise RedisLost("not connected")
        try:
            while not select.select([connection], [], [], 0.3)[0]:
                if not self._is_wanted():
                    self.close()
                    raise RedisLost("stopping")
            chunk = connection.recv(65536)
        except OSError as error:
            self.close()
            raise RedisLost(str(error)) from error
        if not chunk:
            self.close()
            raise RedisLost("closed by the server")
        self._reader.feed(chunk)


# The library's stub says a tuple of one; it takes any length.
_pack: Callable[[Command], bytes] = hiredis.pack_command  # type: ignore[assignment]


def now_ms() -> int:
    """The wall clock in milliseconds."""
    return time.time_ns() // 1_000_000
