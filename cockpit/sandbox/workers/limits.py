"""Whether one order may go to the market: shape, kill switch, reduce-only, and the limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cockpit.sandbox.workers.book import signed_qty
from cockpit.sandbox.workers.exposure import Exposure
from cockpit.sandbox.workers.instruments import GROSS_LIMIT_USD

TRUE_WORDS = frozenset(("true", "1", "yes", "on"))


@dataclass(frozen=True, slots=True)
class OrderLimits:
    """Limits of single orders and of the book that they make."""

    order_usd: float = 150_000.0
    position_usd: float = 1_500_000.0
    gross_usd: float = GROSS_LIMIT_USD
    price_band: float = 0.15
    age_s: float = 5.0
    """Older ones were meant for a book and for prices that are no more; those that only reduce are never too old."""


def is_engaged(kill_switch: Mapping[str, str]) -> bool:
    """Whether the kill switch is on; a missing key means that trading is enabled.

    >>> is_engaged({"enabled": "Yes"}), is_engaged({"enabled": "false"}), is_engaged({})
    (True, False, False)
    """
    return kill_switch.get("enabled", "").strip().lower() in TRUE_WORDS


def refusal(
    order: Mapping[str, Any], is_halted: bool, exposure: Exposure, limits: OrderLimits, age_s: float = 0.0
) -> str:
    """Why the order is refused that has waited for `age_s`; empty when it is not."""
    fault = malformation(order)
    if fault:
        return fault
    symbol, side, qty = str(order["symbol"]), str(order["side"]), int(order["qty"])
    is_reducing = order.get("reduce_only") is True
    if is_halted and not is_reducing:
        return "kill_switch"
    if is_reducing:
        if shrinks(exposure, symbol, side, qty):
            return ""
        return "kill_switch" if is_halted else "reduce_only: would not shrink the position"
    if age_s > limits.age_s:
        return f"stale: waited more than {limits.age_s:.0f} s"
    return _beyond_limits(symbol, side, qty, float(order["price"]), exposure, limits)


def malformation(order: Mapping[str, Any]) -> str:
    """What is wrong with the order's shape; empty when nothing is."""
    if not isinstance(order.get("order_id"), str) or not order["order_id"]:
        return "malformed: order_id"
    if not isinstance(order.get("symbol"), str):
        return "malformed: symbol"
    if order.get("side") not in ("buy", "sell"):
        return "malformed: side"
    qty, price = order.get("qty"), order.get("price")
    if not isinstance(qty, int) or isinstance(qty, bool) or qty <= 0:
        return "malformed: qty"
    if not isinstance(price, (int, float)) or isinstance(price, bool) or not 0 < price < 1e12:
        return "malformed: price"
    return ""


def shrinks(exposure: Exposure, symbol: str, side: str, qty: int) -> bool:
    """Whether the order makes the position smaller and can't turn it round, whichever orders in flight fill.

    Orders of the same side in flight are taken to fill in full and those of the other side not at all.
    """
    held = exposure.positions.get(symbol, 0)
    if held == 0 or (held > 0) != (side == "sell"):
        return False
    return qty <= abs(held) - exposure.in_flight(symbol, side)


def _beyond_limits(symbol: str, side: str, qty: int, price: float, exposure: Exposure, limits: OrderLimits) -> str:
    mark = exposure.marks.get(symbol)
    if mark is None:
        return f"unknown_symbol: {symbol[:20]}"
    if abs(price / mark - 1) > limits.price_band:
        return "price_band"
    if qty * mark > limits.order_usd:
        return "order_limit"
    held = exposure.positions.get(symbol, 0)
    expected = held + exposure.in_flight(symbol, "buy") - exposure.in_flight(symbol, "sell")
    after_usd = abs(expected + signed_qty(side, qty)) * mark
    growth_usd = after_usd - abs(expected) * mark
    if growth_usd > 0 and after_usd > limits.position_usd:
        return "position_limit"
    if growth_usd > 0 and exposure.gross_usd() + growth_usd > limits.gross_usd:
        return "gross_limit"
    return ""
