"""One simulated broker: its orders, positions and numbered log of what became of each order."""

from __future__ import annotations

import heapq
import json
import random
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from cockpit.sandbox.knobs import VenueMode

LATENCY_S = {"IBKR": 0.012, "ZERODHA": 0.031, "PAPER": 0.001}
SLOW_S = 0.4
PARTIAL_FILLS = 0.04
REJECTS = 0.002
SLIPPAGE = 0.0001
LOG_KEPT = 20_000
SILENT_MODES: frozenset[VenueMode] = frozenset(("down", "reset", "blackhole"))
"""In these the orders that the venue holds stay unanswered."""


@dataclass(slots=True)
class Working:
    """An order that is open at the venue."""

    symbol: str
    side: str
    left: int
    price: float


@dataclass(slots=True)
class VenueBook:
    """Takes orders, decides their fate when it is due, and remembers it under a sequence number."""

    name: str
    seed: int = 7
    seq: int = 0
    positions: dict[str, int] = field(default_factory=dict)
    working: dict[str, Working] = field(default_factory=dict)
    log: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=LOG_KEPT))
    _known: dict[str, None] = field(default_factory=dict)
    _due: list[tuple[float, int, str]] = field(default_factory=list)
    _count: int = 0
    _random: random.Random = field(default_factory=random.Random)

    def __post_init__(self) -> None:
        self._random.seed(f"{self.seed}-{self.name}")

    def submit(self, order: dict[str, Any], at_s: float, mode: VenueMode) -> bool:
        """Take an order; one that was seen before is not taken again."""
        order_id = str(order["order_id"])
        if order_id in self._known:
            return False
        self._known[order_id] = None
        if len(self._known) > LOG_KEPT:
            del self._known[next(iter(self._known))]
        self.working[order_id] = Working(
            str(order["symbol"]), str(order["side"]), int(order["qty"]), float(order["price"])
        )
        self._schedule(order_id, at_s + self.latency_s(mode))
        return True

    def latency_s(self, mode: VenueMode) -> float:
        """How long this venue takes for one answer."""
        base_s = SLOW_S if mode == "slow" else LATENCY_S.get(self.name, 0.01)
        return base_s * self._random.uniform(0.8, 1.3)

    def next_due_s(self) -> float | None:
        """When `advance` has something to do."""
        return self._due[0][0] if self._due else None

    def advance(self, at_s: float, mode: VenueMode) -> list[str]:
        """Decide everything that is due; the log's new lines."""
        lines: list[str] = []
        if mode in SILENT_MODES:
            return lines
        while self._due and self._due[0][0] <= at_s:
            order_id = heapq.heappop(self._due)[2]
            order = self.working.get(order_id)
            if order is not None:
                lines.append(self._decide(order_id, order, at_s, mode))
        return lines

    def after(self, seq: int) -> list[str]:
        """The log's lines behind a sequence number."""
        newer = []
        for number, line in reversed(self.log):
            if number <= seq:
                break
            newer.append(line)
        return newer[::-1]

    def _decide(self, order_id: str, order: Working, at_s: float, mode: VenueMode) -> str:
        reason = self._refusal(mode)
        if reason:
            del self.working[order_id]
            return self._logged({"ev": "reject", "order_id": order_id, "reason": reason}, at_s)
        qty = order.left
        if qty > 1 and self._random.random() < PARTIAL_FILLS:
            qty = max(1, int(qty * self._random.uniform(0.3, 0.7)))
        order.left -= qty
        if order.left:
            self._schedule(order_id, at_s + self._random.uniform(0.1, 0.5))
        else:
            del self.working[order_id]
        signed = qty if order.side == "buy" else -qty
        self.positions[order.symbol] = self.positions.get(order.symbol, 0) + signed
        price = round(order.price * (1 + self._random.gauss(0, SLIPPAGE)), 4)
        fill = {
            "ev": "fill",
            "id": f"{self.name}-{self.seq + 1}",
            "order_id": order_id,
            "symbol": order.symbol,
            "side": order.side,
            "qty": qty,
            "price": price,
            "left": order.left,
        }
        return self._logged(fill, at_s)

    def _refusal(self, mode: VenueMode) -> str:
        if mode == "token_dead":
            return "403 TokenException"
        if mode == "partial" and self._random.random() < 0.5:
            return "2103 farm connection is broken"
        if self._random.random() < REJECTS:
            return "201 margin check failed"
        return ""

    def _logged(self, event: dict[str, Any], at_s: float) -> str:
        self.seq += 1
        line = json.dumps({**event, "seq": self.seq, "ts_ms": int(at_s * 1000)}, separators=(",", ":"))
        self.log.append((self.seq, line))
        return line

    def _schedule(self, order_id: str, due_s: float) -> None:
        self._count += 1
        heapq.heappush(self._due, (due_s, self._count, order_id))
