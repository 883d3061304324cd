"""What the book is and what it may become: positions as the ledger last told, later fills, and orders in flight."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from cockpit.sandbox.workers.book import signed_qty
from cockpit.sandbox.workers.streams import entry_key

EntryKey = tuple[int, int]


@dataclass(slots=True)
class Flight:
    """An order that was validated and may still fill."""

    symbol: str
    side: str
    left: int


@dataclass(slots=True)
class Exposure:
    """Positions and orders in flight.

    The ledger writes positions together with the id of the last fill that is in them; fills after that one are added
    here, so the position is exact at the end of orders.fills and not a tenth of a second old.
    """

    positions: dict[str, int] = field(default_factory=dict)
    marks: dict[str, float] = field(default_factory=dict)
    flights: dict[str, Flight] = field(default_factory=dict)
    _later: deque[tuple[EntryKey, str, int]] = field(default_factory=deque)
    _base: dict[str, int] = field(default_factory=dict)

    def rebase(self, quantities: Mapping[str, int], marks: Mapping[str, float], upto: str) -> None:
        """Take the ledger's positions, which hold every fill up to the entry `upto`."""
        key = entry_key(upto)
        while self._later and self._later[0][0] <= key:
            self._later.popleft()
        self._base = dict(quantities)
        self.marks = {**self.marks, **marks}
        self.positions = dict(quantities)
        for _, symbol, signed in self._later:
            self.positions[symbol] = self.positions.get(symbol, 0) + signed

    def filled(self, entry_id: str, order_id: str, symbol: str, side: str, qty: int) -> None:
        """Take in a fill from the end of orders.fills."""
        signed = signed_qty(side, qty)
        self._later.append((entry_key(entry_id), symbol, signed))
        self.positions[symbol] = self.positions.get(symbol, 0) + signed
        flight = self.flights.get(order_id)
        if flight is not None:
            flight.left -= qty
            if flight.left <= 0:
                del self.flights[order_id]

    def sent(self, order_id: str, symbol: str, side: str, qty: int) -> None:
        """An order was validated."""
        self.flights[order_id] = Flight(symbol, side, qty)

    def ended(self, order_id: str) -> None:
        """An order was refused or cancelled by its venue: what has not filled never will."""
        self.flights.pop(order_id, None)

    def in_flight(self, symbol: str, side: str) -> int:
        """Quantity that orders of one side may still fill."""
        return sum(each.left for each in self.flights.values() if each.symbol == symbol and each.side == side)

    def expected(self) -> dict[str, int]:
        """Quantities once everything in flight has filled."""
        book = dict(self.positions)
        for each in self.flights.values():
            book[each.symbol] = book.get(each.symbol, 0) + signed_qty(each.side, each.left)
        return book

    def usd(self, symbol: str, qty: int) -> float:
        """Value of a quantity at the last mark."""
        return qty * self.marks.get(symbol, 0.0)

    def gross_usd(self) -> float:
        """Sum of all positions' sizes."""
        return sum(abs(self.usd(symbol, qty)) for symbol, qty in self.positions.items())

    def net_usd(self) -> float:
        """Sum of all positions."""
        return sum(self.usd(symbol, qty) for symbol, qty in self.positions.items())
