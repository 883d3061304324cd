"""One HTTP/1.1 connection on the event loop: a request out, its answer in, one at a time."""

from __future__ import annotations

import asyncio
from typing import cast

from cockpit.clients.answering import Answering
from cockpit.errors import BackendError


class Wire(asyncio.Protocol):
    """A connection that was made; whoever uses it bounds the time.

    A library that can do all of HTTP takes 0.5 ms of CPU an exchange where this takes 0.1: eight are made a second.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._transport: asyncio.Transport | None = None
        self._answering: Answering | None = None
        self._ended: asyncio.Future[None] | None = None

    @property
    def is_free(self) -> bool:
        """Whether another request can be sent."""
        transport = self._transport
        return transport is not None and self._answering is None and not transport.is_closing()

    async def exchange(self, request: bytes, answering: Answering) -> None:
        """Send it, and have it answered; whatever goes wrong or is cancelled ends the connection.

        Raises:
            BackendError: they hung up, or it is no HTTP, or too long.
        """
        transport = self._transport
        assert transport is not None
        self._answering, self._ended = answering, asyncio.get_running_loop().create_future()
        transport.write(request)
        try:
            await self._ended
        except BaseException:
            self.abort()
            raise
        finally:
            self._answering = self._ended = None
        if not answering.is_kept:
            self.abort()

    def abort(self) -> None:
        """Close it at once; nothing here waits for a peer that may never answer."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The event loop's: it stands."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """The event loop's: a piece of an answer, or what nobody has asked for."""
        if self._answering is None or self._ended is None or self._ended.done():
            self.abort()
            return
        try:
            if self._answering.feed(data):
                self._end(None)
        except BackendError as error:
            self._end(error)

    def connection_lost(self, exc: Exception | None) -> None:
        """The event loop's: it is gone."""
        if self._answering is not None:
            is_whole = exc is None and self._answering.end()
            how = "in the middle of its answer" if self._answering.has_begun else "without an answer"
            self._end(None if is_whole else BackendError(f"{self._name} hung up {how}"))

    def _end(self, error: BackendError | None) -> None:
        if self._ended is None or self._ended.done():
            return
        if error is None:
            self._ended.set_result(None)
        else:
            self._ended.set_exception(error)
