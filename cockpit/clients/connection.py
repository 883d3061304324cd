"""One connection on the event loop: a question out, its answer in, one at a time."""

from __future__ import annotations

import asyncio
from typing import cast


class Connection(asyncio.Protocol):
    """A connection that was made; whoever uses it bounds the time.

    What speaks over it feeds itself in data_received, says in connection_lost what an end means, and calls `_end`.
    """

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answered: asyncio.Future[None] | None = None

    @property
    def is_free(self) -> bool:
        """Whether it stands, as far as has been heard, and nobody waits for an answer."""
        transport = self._transport
        return transport is not None and self._answered is None and not transport.is_closing()

    def abort(self) -> None:
        """Close it at once; nothing here waits for a peer that may never answer."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The event loop's: it stands."""
        self._transport = cast("asyncio.Transport", transport)

    @property
    def _is_asked(self) -> bool:
        """Whether anything is still awaited; what comes at other times is no answer to anything."""
        return self._answered is not None and not self._answered.done()

    async def _ask(self, sent: bytes) -> None:
        """Send it, and wait for its end; whatever goes wrong or is cancelled ends the connection too.

        Raises:
            Exception: the one with which it was ended.
        """
        assert self._transport is not None
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(sent)
        try:
            await self._answered
        except BaseException:
            self.abort()
            raise
        finally:
            self._answered = None

    def _end(self, error: Exception | None) -> None:
        """It is answered, or never will be; of several ends the first counts."""
        if self._answered is None or self._answered.done():
            return
        if error is None:
            self._answered.set_result(None)
        else:
            self._answered.set_exception(error)
