"""One connection to Redis: opened when needed, many commands a round trip, a deadline on the whole, errors in words."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio.connection import AbstractConnection, Connection, parse_url
from redis.exceptions import RedisError

from cockpit.clients.redis_words import connection_failure, is_reply
from cockpit.config import RedisPart
from cockpit.errors import BackendError, ConfigError, TimedOut, Unreachable

Command = Sequence[str | bytes | int | float]
Reply = Any
"""Bytes, an int, None, a list of these, or the RedisError that the server replied instead."""


class RedisLink:
    """A connection of redis-py without its pool and its retries: they hide for seconds that a server is gone."""

    def __init__(self, part: RedisPart) -> None:
        self._part = part
        self._connection: AbstractConnection | None = None
        self._phase = ""
        self._was_sent = False
        self.place = _place(part.url)

    @property
    def is_open(self) -> bool:
        """Whether there is a connection, as far as is known without using it."""
        return self._connection is not None

    async def ask(
        self, commands: Sequence[Command], timeout_s: float | None = None, *, may_reopen: bool = True
    ) -> list[Reply]:
        """Send all commands at once, return a reply to each; a server's error is returned in its place.

        A connection that turns out to be closed (the server was restarted since) is opened anew once, unless the
        question is about what this very connection did.

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
                return await self._ask(commands, may_reopen)
        except TimeoutError:
            self.drop()
            late = TimedOut(f"{self._phase} within {limit_s:.1f} s ({self.place})")
            late.was_sent = self._was_sent
            raise late from None
        except BaseException as error:
            # Replies may be under way: the connection cannot be used again.
            self.drop()
            if isinstance(error, BackendError):
                error.was_sent = self._was_sent
            raise

    async def _ask(self, commands: Sequence[Command], may_reopen: bool) -> list[Reply]:
        if self._connection is not None and _is_hung_up(self._connection):
            # Known before anything is sent: nothing of it can have been executed.
            self.drop()
        if self._connection is not None:
            try:
                return await self._exchange(self._connection, commands)
            except Unreachable:
                if not may_reopen:
                    raise
                self.drop()
        if not may_reopen:
            raise Unreachable(f"closed the connection ({self.place})")
        await self.open()
        assert self._connection is not None
        return await self._exchange(self._connection, commands)

    async def open(self) -> None:
        """Connect, authenticate and select the database; the caller bounds the time."""
        self.drop()
        self._phase = f"did not accept a {'TLS ' if self._part.url.startswith('rediss:') else ''}connection"
        connection = await self._new_connection()
        try:
            await connection.connect()  # type: ignore[no-untyped-call]
        except (RedisError, OSError) as error:
            _close(connection)
            raise connection_failure(error, self.place) from None
        except BaseException:
            _close(connection)
            raise
        self._connection = connection

    async def _new_connection(self) -> AbstractConnection:
        try:
            options: dict[str, Any] = dict(parse_url(self._part.url))
        except ValueError as error:
            raise ConfigError(f"redis.url: {error}") from None
        kind = options.pop("connection_class", Connection)
        if self._part.password is not None:
            # Where it is a command it may take its time; the loop must go on.
            options["password"] = await asyncio.to_thread(self._part.password.reveal)
        # RESP2 and no driver_info: the default greets with HELLO 3 and CLIENT SETINFO, error replies on older servers.
        # No time-outs of its own: one deadline stands around the whole exchange, and a timer a reply costs CPU.
        options.update(protocol=2, driver_info=None, socket_timeout=None, socket_connect_timeout=None)
        try:
            connection: AbstractConnection = kind(**options, redis_connect_func=self._greet)
        except (TypeError, ValueError, RedisError) as error:
            raise ConfigError(f"redis.url: {error}") from None
        return connection

    async def _greet(self, connection: AbstractConnection) -> None:
        # From here on it is the server that is slow, no longer the way to it.
        self._phase = "accepted but did not answer"
        await connection.on_connect()

    async def _exchange(self, connection: AbstractConnection, commands: Sequence[Command]) -> list[Reply]:
        self._phase = "accepted but did not answer"
        self._was_sent = True
        try:
            await connection.send_packed_command(connection.pack_commands(commands), check_health=False)
            return [await self._reply(connection) for _ in commands]
        except (RedisError, OSError) as error:
            raise connection_failure(error, self.place) from None

    @staticmethod
    async def _reply(connection: AbstractConnection) -> Reply:
        try:
            return await connection.read_response(disable_decoding=True, disconnect_on_error=False)
        except RedisError as error:
            if not is_reply(error):
                raise
            return error

    def drop(self) -> None:
        """Close the connection at once, if there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            _close(connection)


def _is_hung_up(connection: AbstractConnection) -> bool:
    """Whether the server has closed it, as far as that has been heard."""
    reader, writer = connection._reader, connection._writer
    if reader is None or writer is None:
        return True
    return reader.at_eof() or reader.exception() is not None or writer.transport.is_closing()


def _close(connection: AbstractConnection) -> None:
    """Abort the transport: nothing here waits for a peer that may never answer."""
    writer = connection._writer
    if writer is not None:
        writer.transport.abort()
        connection._reader = connection._writer = None


def _place(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return parts.path
    try:
        port = parts.port
    except ValueError:
        port = None
    return f"{parts.hostname or 'localhost'}:{port or 6379}"
