"""What the strategies want to trade: positions pulled to slowly wandering targets, plus the odd forbidden order."""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Mapping
from typing import Any

from cockpit.sandbox.workers.instruments import INSTRUMENTS, Instrument

WANDER = 0.12
"""Standard deviation of a target around its nominal size."""
RELAXATION_S = 60.0
FAR_USD = 50_000.0
MOST_USD = 60_000.0
UNSEEN_S = 0.6
"""How long an order may stay unseen in the positions that come back."""
BREAKS_PER_S = 2.0
STRATEGIES = ("meanrev", "pairs", "momentum")


class OrderFlow:
    """Makes bursts of orders from positions and prices."""

    def __init__(self, seed: int, run_id: str) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a strategy, not a secret
        self._run_id = run_id
        self._made = 0
        self._wander = {instrument.symbol: 0.0 for instrument in INSTRUMENTS}
        self._unseen: deque[tuple[float, str, float]] = deque()

    def burst(
        self, count: int, positions: Mapping[str, int], prices: Mapping[str, float], at_s: float, passed_s: float
    ) -> list[dict[str, Any]]:
        """The next `count` orders at the time `at_s`, `passed_s` after the burst before."""
        known = [each for each in INSTRUMENTS if each.symbol in prices]
        if not known:
            return []
        self._drift(passed_s)
        gaps = self._gaps(known, positions, prices, at_s)
        orders = [self._order(known, gaps, prices, at_s) for _ in range(count)]
        if orders and self._random.random() < BREAKS_PER_S * passed_s:
            orders[-1] = self._forbidden(orders[-1])
        return orders

    def _drift(self, passed_s: float) -> None:
        scale = WANDER * math.sqrt(2 * passed_s / RELAXATION_S)
        for symbol, value in self._wander.items():
            self._wander[symbol] = value * (1 - passed_s / RELAXATION_S) + self._random.gauss(0, scale)

    def _gaps(
        self, known: list[Instrument], positions: Mapping[str, int], prices: Mapping[str, float], at_s: float
    ) -> dict[str, float]:
        """Dollars still to trade in each symbol, counting what was sent and is not in the positions yet."""
        while self._unseen and self._unseen[0][0] < at_s - UNSEEN_S:
            self._unseen.popleft()
        gaps = {
            each.symbol: each.target_usd * (1 + self._wander[each.symbol])
            - positions.get(each.symbol, 0) * prices[each.symbol]
            for each in known
        }
        for _, symbol, usd in self._unseen:
            if symbol in gaps:
                gaps[symbol] -= usd
        return gaps

    def _order(
        self, known: list[Instrument], gaps: dict[str, float], prices: Mapping[str, float], at_s: float
    ) -> dict[str, Any]:
        far = [each for each in known if abs(gaps[each.symbol]) > FAR_USD]
        each = self._random.choice(far or known)
        gap, price = gaps[each.symbol], prices[each.symbol]
        usd = min(abs(gap), MOST_USD) if far else self._random.uniform(1_000, 8_000)
        is_towards = bool(far) or self._random.random() < 0.5 + 0.5 * min(1.0, abs(gap) / 30_000)
        side = "buy" if (gap > 0) == is_towards else "sell"
        qty = max(1, int(usd / price))
        signed_usd = qty * price * (1 if side == "buy" else -1)
        gaps[each.symbol] -= signed_usd
        self._unseen.append((at_s, each.symbol, signed_usd))
        self._made += 1
        return {
            "order_id": f"{self._run_id}-{self._made}",
            "ts_ms": int(at_s * 1000),
            "strategy": self._random.choice(STRATEGIES),
            "symbol": each.symbol,
            "side": side,
            "qty": qty,
            "price": round(price, 4),
            "order_type": "limit" if self._random.random() < 0.3 else "market",
            "reduce_only": False,
            "venue": each.venue,
        }

    def _forbidden(self, order: dict[str, Any]) -> dict[str, Any]:
        """The order turned into one that the risk manager must refuse."""
        kind = self._random.randrange(3)
        if kind == 0:
            return order | {"qty": order["qty"] + int(400_000 / order["price"])}
        if kind == 1:
            return order | {"symbol": "TSLA"}
        return order | {"price": round(order["price"] * 1.18, 4), "order_type": "limit"}
