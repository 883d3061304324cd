"""One HTTP/1.1 connection on the event loop: a request out, its answer in, one at a time."""

from __future__ import annotations

from cockpit.clients.answering import Answering
from cockpit.clients.connection import Connection
from cockpit.errors import BackendError


class Wire(Connection):
    """HTTP, spoken by whoever makes the requests.

    A library that can do all of HTTP takes 0.5 ms of CPU an exchange where this takes 0.1: eight are made a second.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._answering: Answering | None = None

    async def exchange(self, request: bytes, answering: Answering) -> None:
        """Send it, and have it answered; whatever goes wrong or is cancelled ends the connection.

        Raises:
            BackendError: they hung up, or it is no HTTP, or too long.
        """
        self._answering = answering
        try:
            await self._ask(request)
        finally:
            self._answering = None
        if not answering.is_kept:
            self.abort()

    def data_received(self, data: bytes) -> None:
        """The event loop's: a piece of an answer, or what nobody has asked for."""
        if self._answering is None or not self._is_asked:
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
