"""Whether an order would take the book near its limits of VaR and ES: then it is refused, however the book came there.

Strategies that see positions late, because the ledger lags or a venue holds their orders back, trade the same gap
again and again. A breach would halt trading, and a halted book stays where it is.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cockpit.sandbox.workers.book import signed_qty
from cockpit.sandbox.workers.exposure import Exposure
from cockpit.sandbox.workers.instruments import SYMBOLS
from cockpit.sandbox.workers.var import expected_shortfall, nominal_limits, return_history, value_at_risk

MOST = 0.9
"""Of each limit, on an ordinary day; what the strategies aim for stays below it, and prices move on from there."""


class BookRisk:
    """The book's risk after one more order, with all that is in flight filled."""

    def __init__(self, seed: int) -> None:
        self._history = return_history(seed)
        self._limits = nominal_limits(self._history)

    def refusal(self, exposure: Exposure, symbol: str, side: str, qty: int) -> str:
        """Why the order is refused; empty when it is not, as any is that makes the risk smaller."""
        book = exposure.expected()
        before = self._used({each: exposure.usd(each, held) for each, held in book.items()})
        book[symbol] = book.get(symbol, 0) + signed_qty(side, qty)
        after = self._used({each: exposure.usd(each, held) for each, held in book.items()})
        return "var_limit" if after > max(MOST, before) else ""

    def _used(self, notional_usd: Mapping[str, float]) -> float:
        """The larger of VaR and ES as a fraction of its limit."""
        pnl = np.sort(self._history @ np.array([notional_usd.get(each, 0.0) for each in SYMBOLS]))
        var_limit, es_limit = self._limits
        return max(value_at_risk(pnl) / var_limit, expected_shortfall(pnl) / es_limit)
