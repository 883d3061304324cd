"""Asking again on a connection that the official client has opened: its layers take ten times as long as the asking."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from cockpit.clients.answering import Answering
from cockpit.clients.asking import Goal
from cockpit.clock import Clock
from cockpit.errors import BackendError, TimedOut

PIECE_BYTES = 1 << 16


def as_bytes(url: str, headers: Mapping[str, str]) -> bytes | None:
    """The request; None where only the client knows how to put it."""
    parts = urlsplit(url)
    place = f"{parts.scheme}://{parts.netloc}"
    with suppress(BackendError):
        return Goal.of(place).request("GET", url[len(place) :], None, {"Accept-Encoding": "identity", **headers})
    return None


class Line:
    """The open connections of one ApiClient, for one thread."""

    def __init__(self, api: Any, clock: Clock, timeout_s: float, max_bytes: int) -> None:
        self._pools = api.rest_client.pool_manager
        self._place = str(api.configuration.host)
        self._clock = clock
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes
        self._held: Any = None

    def get(self, url: str, request: bytes, read_s: float, give_up_at: float) -> tuple[int, bytes] | None:
        """Status and body; None where the client has to ask by itself: it has no connection that is open and direct.

        Raises:
            TimedOut: a piece of the answer took longer than `read_s`, or all of it too long.
            BackendError: it is no answer.
        """
        held, self._held = self._held or self._taken(url), None
        if held is None:
            return None
        answering: Answering | None = None
        try:
            answering = self._exchange(held.sock, request, read_s, give_up_at)
        finally:
            if answering is not None and answering.is_kept:
                self._held = held
            else:
                held.close()
        return None if answering is None else (answering.status, answering.body)

    def close(self) -> None:
        """Close what is held."""
        held, self._held = self._held, None
        if held is not None:
            held.close()

    def _taken(self, url: str) -> Any:
        """An open connection out of the client's pool, which does without it from now on; None where it has none."""
        pool = self._pools.connection_from_url(url)
        if getattr(pool, "proxy", None) is not None or not (hasattr(pool, "_get_conn") and hasattr(pool, "_put_conn")):
            return None
        found = pool._get_conn()
        if getattr(found, "sock", None) is None:
            pool._put_conn(found)
            return None
        return found

    def _exchange(self, line: socket.socket, request: bytes, read_s: float, give_up_at: float) -> Answering | None:
        """A whole answer; None where they hung up before it: what was kept open may have been closed just then."""
        answering = Answering(self._place, self._max_bytes)
        try:
            line.settimeout(read_s)
            line.sendall(request)
            while piece := line.recv(PIECE_BYTES):
                if answering.feed(piece):
                    return answering
                if self._clock.monotonic() > give_up_at:
                    raise TimeoutError
            if answering.end():
                return answering
        except TimeoutError:
            raise TimedOut(f"Kubernetes did not answer within {self._timeout_s:g} s") from None
        except OSError:
            pass
        if answering.has_begun:
            raise BackendError(f"{self._place} hung up without a whole answer")
        return None
