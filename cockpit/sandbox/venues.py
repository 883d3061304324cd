"""The venue engine: IBKR, Zerodha and Paper as simulated brokers behind one unix socket, in the supervisor's loop.

JSON lines. In: logon {venue, after}, order {...}, ping {n}, book {venue}. Out: status, fill, reject, book; fills and
rejects are numbered, and a logon names the last number seen, so nothing is missed and nothing is told twice.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Any

from cockpit.sandbox.knobs import Knobs, VenueMode
from cockpit.sandbox.layout import Layout
from cockpit.sandbox.venues_book import VenueBook
from cockpit.sandbox.venues_status import VenueReport, report

NAMES = ("IBKR", "ZERODHA", "PAPER")
GRID_S = 0.01
"""Answers leave on this grid: a burst is answered in one write instead of five."""
MAX_UNSENT_BYTES = 1_000_000


@dataclass(slots=True)
class Venue:
    """One broker and who is logged on to it."""

    book: VenueBook
    connections: set[Connection] = field(default_factory=set)
    orders_at: deque[float] = field(default_factory=lambda: deque(maxlen=2_000))
    timer: asyncio.TimerHandle | None = None
    mode: VenueMode = "up"
    restored_at: float = 0.0

    def peak_orders_per_s(self) -> int:
        """Most orders taken within one second, among the last 2,000."""
        peak, window = 0, deque[float]()
        for at in self.orders_at:
            window.append(at)
            while window[0] < at - 1.0:
                window.popleft()
            peak = max(peak, len(window))
        return peak


class VenueEngine:
    """Runs the venues; `serve` and `close` belong to the supervisor's event loop."""

    def __init__(self, layout: Layout, knobs_getter: Callable[[], Knobs]) -> None:
        self._layout = layout
        self._knobs = knobs_getter
        self.venues = {name: Venue(VenueBook(name, layout.seed)) for name in NAMES}
        self._server: asyncio.Server | None = None

    async def serve(self) -> None:
        """Take up positions from an earlier life of this sandbox and listen."""
        self._resume()
        path = self._layout.venues_socket
        path.unlink(missing_ok=True)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: Connection(self), str(path))

    async def close(self) -> None:
        """Hang up on everybody and stop listening."""
        if self._server is not None:
            self._server.close()
        for venue in self.venues.values():
            if venue.timer is not None:
                venue.timer.cancel()
            for connection in list(venue.connections):
                connection.abort()

    def positions(self) -> dict[str, int]:
        """Net position per symbol over all venues."""
        total: dict[str, int] = {}
        for venue in self.venues.values():
            for symbol, qty in venue.book.positions.items():
                total[symbol] = total.get(symbol, 0) + qty
        return total

    def report(self, name: str) -> VenueReport:
        """How the venue is doing: for its status and for the faces that brokers show to the outside."""
        venue = self.venues[name]
        mode = self._knobs().venue(name)
        if mode != venue.mode:
            if mode == "up" and venue.mode == "reset":
                venue.restored_at = time.time()
            venue.mode = mode
        return report(name, mode, len(venue.book.working), time.time(), venue.restored_at)

    def logon(self, name: str, after: int, connection: Connection) -> None:
        """Somebody speaks to this venue from now on; tell what happened since `after`."""
        venue = self.venues[name]
        venue.connections.add(connection)
        connection.write([self._status(name, 0), *venue.book.after(after)])
        self._arm(name)

    def order(self, name: str, order: dict[str, Any]) -> None:
        """An order arrived."""
        venue = self.venues[name]
        if venue.book.submit(order, time.time(), self._knobs().venue(name)):
            venue.orders_at.append(time.time())
        self._arm(name)

    def ping(self, name: str, number: int, connection: Connection) -> None:
        """Answer after the venue's usual latency."""
        venue, mode = self.venues[name], self._knobs().venue(name)
        self._arm(name)
        delay_s = venue.book.latency_s(mode)
        asyncio.get_running_loop().call_later(delay_s, lambda: connection.write([self._status(name, number)]))

    def book(self, name: str) -> str:
        """What the sandbox itself may look at whatever state the venue is in."""
        venue = self.venues[name]
        held = {symbol: qty for symbol, qty in venue.book.positions.items() if qty}
        return json.dumps(
            {
                "ev": "book",
                "venue": name,
                "positions": held,
                "open": sorted(venue.book.working),
                "seq": venue.book.seq,
                "peak_orders_per_s": venue.peak_orders_per_s(),
            }
        )

    def mode(self, name: str) -> VenueMode:
        """The venue's mode now."""
        return self._knobs().venue(name)

    def leave(self, connection: Connection) -> None:
        """A connection is gone."""
        for venue in self.venues.values():
            venue.connections.discard(connection)

    def _status(self, name: str, number: int) -> str:
        return json.dumps({"ev": "status", "n": number, **self.report(name).fields()})

    def _arm(self, name: str) -> None:
        """See to it that the venue's next answer leaves when it is due."""
        venue = self.venues[name]
        due_s = venue.book.next_due_s()
        if venue.timer is not None or due_s is None:
            return
        delay_s = max(GRID_S, due_s - time.time())
        venue.timer = asyncio.get_running_loop().call_later(delay_s, self._advance, name)

    def _advance(self, name: str) -> None:
        venue = self.venues[name]
        venue.timer = None
        mode = self._knobs().venue(name)
        lines = venue.book.advance(time.time(), mode)
        if lines:
            for connection in list(venue.connections):
                connection.write(lines)
        elif mode in ("down", "reset", "blackhole"):
            return  # armed again by the next ping or logon
        self._arm(name)

    def _resume(self) -> None:
        """Positions and last numbers out of the ledger, for a sandbox that is brought up on an old folder."""
        if not self._layout.ledger.exists():
            return
        with suppress(sqlite3.Error), closing(sqlite3.connect(self._layout.ledger)) as ledger:
            rows = ledger.execute(
                "SELECT f.venue, f.symbol, SUM(CASE o.side WHEN 'buy' THEN f.qty ELSE -f.qty END),"
                " MAX(CAST(substr(f.id, instr(f.id, '-') + 1) AS INTEGER))"
                " FROM fills f JOIN orders o ON o.id = f.order_id GROUP BY f.venue, f.symbol"
            ).fetchall()
            for name, symbol, qty, seq in rows:
                if name in self.venues:
                    book = self.venues[name].book
                    book.positions[symbol] = int(qty)
                    book.seq = max(book.seq, int(seq) + 1_000)


class Connection(asyncio.Protocol):
    """One adapter's connection; it speaks to the venue that it logged on to."""

    def __init__(self, engine: VenueEngine) -> None:
        self._engine = engine
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._venue = ""
        self._held: list[dict[str, Any]] = []
        """What a black-holed venue has been sent and not looked at; it gets to it when it is back."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget this connection."""
        self._transport = None
        self._engine.leave(self)

    def data_received(self, data: bytes) -> None:
        """Take whole lines."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        try:
            messages = [*self._held, *map(json.loads, lines)]
            self._held = []
            for message in messages:
                self._take(message)
        except (ValueError, KeyError, TypeError):
            self.abort()

    def write(self, lines: list[str]) -> None:
        """Send lines, unless the venue is silent; a reader that is far behind is cut off and may log on again."""
        if self._transport is None or not lines or self._engine.mode(self._venue) == "blackhole":
            return
        if self._transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self.abort()
            return
        self._transport.write(("\n".join(lines) + "\n").encode())

    def abort(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.abort()

    def _take(self, message: dict[str, Any]) -> None:
        operation = message["op"]
        if operation == "book":
            if self._transport is not None:
                self._transport.write(self._engine.book(message["venue"]).encode() + b"\n")
            return
        if operation == "logon":
            self._venue = message["venue"]
        mode = self._engine.mode(self._venue)
        if mode == "down":
            self.abort()
        elif mode == "blackhole":
            if operation != "ping":
                self._held.append(message)
        elif operation == "logon":
            self._engine.logon(self._venue, int(message["after"]), self)
        elif operation == "order":
            self._engine.order(self._venue, message["order"])
        elif operation == "ping":
            self._engine.ping(self._venue, int(message["n"]), self)
