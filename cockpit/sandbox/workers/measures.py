"""The book's risk at one moment, and which limits it is over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from cockpit.sandbox.workers.instruments import START_EQUITY_USD
from cockpit.sandbox.workers.prices import Array
from cockpit.sandbox.workers.var import expected_shortfall, simulated_pnl, value_at_risk

DRAWDOWN_LIMIT = 0.05


@dataclass(frozen=True, slots=True)
class Held:
    """One symbol as the hash `positions` has it."""

    qty: int
    avg_px: float
    mark: float
    realized_pnl: float

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Held:
        """From the hash's JSON."""
        return cls(
            qty=int(fields["qty"]),
            avg_px=float(fields["avg_px"]),
            mark=float(fields["mark"]),
            realized_pnl=float(fields.get("realized_pnl", 0.0)),
        )


@dataclass(frozen=True, slots=True)
class Measures:
    """One entry of risk.metrics."""

    ts_ms: int
    book: str
    var_99: float
    es_975: float
    drawdown_pct: float
    gross_usd: float
    net_usd: float
    pnl_day: float

    def event(self) -> dict[str, Any]:
        """The entry's event."""
        return asdict(self)


def equity_usd(book: Mapping[str, Held]) -> float:
    """Start equity plus everything made since."""
    return START_EQUITY_USD + sum(each.realized_pnl + each.qty * (each.mark - each.avg_px) for each in book.values())


def measured(ts_ms: int, book: Mapping[str, Held], history: Array, volatility: float, drawdown: float) -> Measures:
    """Measure the book."""
    notional = {symbol: each.qty * each.mark for symbol, each in book.items()}
    pnl = simulated_pnl(history, notional, volatility)
    return Measures(
        ts_ms=ts_ms,
        book="main",
        var_99=round(value_at_risk(pnl), 2),
        es_975=round(expected_shortfall(pnl), 2),
        drawdown_pct=round(drawdown, 6),
        gross_usd=round(sum(abs(usd) for usd in notional.values()), 2),
        net_usd=round(sum(notional.values()), 2),
        pnl_day=round(equity_usd(book) - START_EQUITY_USD, 2),
    )


def breaches(measures: Measures, limits: Mapping[str, float]) -> list[str]:
    """What is over its limit, in words that say by how much."""
    found = []
    if measures.drawdown_pct > limits["drawdown_pct"]:
        found.append(f"drawdown {measures.drawdown_pct:.1%} over {limits['drawdown_pct']:.1%}")
    if measures.var_99 > limits["var_99"]:
        found.append(f"VaR 99 {measures.var_99:,.0f} over {limits['var_99']:,.0f} USD")
    if measures.es_975 > limits["es_975"]:
        found.append(f"ES 97.5 {measures.es_975:,.0f} over {limits['es_975']:,.0f} USD")
    return found
