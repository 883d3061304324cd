"""An adapter: the router's line to one venue, never blocking, with its health measured by pings."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import Any

from cockpit.sandbox.venues_status import REFUSED
from cockpit.sandbox.workers.redis_line import now_ms

PING_EVERY_S = 0.5
SILENT_AFTER_S = 1.2
"""Without an answer for so long the venue counts as down."""
RETRY_S = 0.3
SLOW_MS = 250.0


class VenueLink:
    """Sends orders, collects what the venue says."""

    def __init__(self, path: Path, venue: str) -> None:
        self._path = str(path)
        self.venue = venue
        self._socket: socket.socket | None = None
        self._received = b""
        self._unsent = bytearray()
        self._retry_at = 0.0
        self._is_refused = False
        """Hung up on, or not let in, and not heard of since."""
        self._pings: dict[int, float] = {}
        self._number = 0
        self._ping_at = 0.0
        self._heard_at = 0.0
        self._said: dict[str, Any] = {}
        self._latency_ms: float | None = None
        self._expires_ms: int | None = None

    @property
    def is_ready(self) -> bool:
        """Whether an order sent now is likely to be answered."""
        return self._socket is not None and self._said.get("is_ready") is True and not self._is_silent()

    def fileno(self) -> int:
        """The socket's descriptor; -1 without one."""
        return self._socket.fileno() if self._socket is not None else -1

    def has_unsent(self) -> bool:
        """Whether it waits for the socket to take more."""
        return bool(self._unsent)

    def tend(self, after: int) -> bool:
        """Connect where needed and ping when it is time; True when a new connection was logged on."""
        now = time.monotonic()
        is_new = False
        if self._socket is None:
            if now < self._retry_at or not self._connect(after):
                return False
            is_new = True
        if now - self._ping_at >= PING_EVERY_S:
            self._ping_at = now
            self._number += 1
            self._pings[self._number] = now
            if len(self._pings) > 50:
                del self._pings[next(iter(self._pings))]
            self._send({"op": "ping", "n": self._number})
        return is_new

    def send(self, order: dict[str, Any]) -> None:
        """Send an order."""
        self._send({"op": "order", "order": order})

    def receive(self) -> list[dict[str, Any]]:
        """Fills and rejects that have come in."""
        if self._socket is None:
            return []
        self._flush()
        events: list[dict[str, Any]] = []
        while self._socket is not None:
            try:
                chunk = self._socket.recv(65536)
            except BlockingIOError:
                break
            except OSError:
                chunk = b""
            if not chunk:
                self._lose()
                break
            *lines, self._received = (self._received + chunk).split(b"\n")
            events += [event for event in map(json.loads, lines) if not self._took_status(event)]
        return events

    def status(self) -> dict[str, Any] | None:
        """The venue's entry in `venue:status`; None before anything is known of it."""
        said = self._said
        if not said and not self._is_refused and not self._is_silent():
            return None
        status, code, message = said.get("status", "down"), said.get("code"), said.get("message", "")
        if self._is_refused:
            status, (code, message) = "down", REFUSED[self.venue]
        elif self._is_silent():
            status, code = "down", None
            message = f"no answer for {time.monotonic() - self._heard_at:.1f} s"
        elif status == "up" and self._latency_ms is not None and self._latency_ms > SLOW_MS:
            status = "degraded"
        if status == "degraded" and said.get("message") == "answers slowly":
            message = f"answers slowly: {self._latency_ms or 0:.0f} ms"
        return {
            "status": status,
            "ts_ms": now_ms(),
            "code": code,
            "message": message,
            "latency_ms": round(self._latency_ms, 1) if self._latency_ms is not None and status != "down" else None,
            "open_orders": said.get("open_orders", 0),
            "token_expires_ms": self._expires_ms,
        }

    def drop(self) -> None:
        """Hang up; `tend` connects again."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self._received = None, b""
        self._unsent.clear()
        self._pings.clear()
        self._retry_at = time.monotonic() + RETRY_S

    def _lose(self) -> None:
        """The venue hung up, or let nobody in."""
        self._is_refused = True
        self.drop()

    def _connect(self, after: int) -> bool:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(self._path)
        except OSError:
            connection.close()
            self._lose()
            return False
        connection.setblocking(False)
        self._socket = connection
        self._heard_at = time.monotonic()
        if self._said:
            self._said = {**self._said, "is_ready": False}
        self._ping_at = 0.0
        self._send({"op": "logon", "venue": self.venue, "after": after})
        return True

    def _took_status(self, event: dict[str, Any]) -> bool:
        self._heard_at = time.monotonic()
        if event.get("ev") != "status":
            return False
        self._said = event
        self._is_refused = False
        self._expires_ms = event.get("token_expires_ms")
        sent_at = self._pings.pop(event["n"], None)
        if sent_at is not None:
            self._latency_ms = (time.monotonic() - sent_at) * 1000
        return True

    def _is_silent(self) -> bool:
        """Whether the oldest ping without an answer is too old."""
        oldest = next(iter(self._pings.values()), None)
        return oldest is not None and time.monotonic() - max(oldest, self._heard_at) > SILENT_AFTER_S

    def _send(self, message: dict[str, Any]) -> None:
        if self._socket is not None:
            self._unsent += json.dumps(message, separators=(",", ":")).encode() + b"\n"
            self._flush()

    def _flush(self) -> None:
        if self._socket is None or not self._unsent:
            return
        try:
            sent = self._socket.send(self._unsent)
            del self._unsent[:sent]
        except BlockingIOError:
            return
        except OSError:
            self._lose()
