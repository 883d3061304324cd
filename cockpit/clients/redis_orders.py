"""An entry of orders.validated, as the proof that orders stopped needs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cockpit.clients.redis_facts import id_ms, json_object, number, payload, text
from cockpit.text import clean

MAX_ORDERS = 1000


@dataclass(frozen=True, slots=True)
class ValidatedOrder:
    """An order that went on to the router and is not known to be reduce-only."""

    entry_id: str
    at: float
    """Unix seconds by Redis' clock: when it was validated."""
    order_id: str | None
    strategy: str | None
    symbol: str | None
    side: str | None
    qty: float | None


def risky_order(entry: Any) -> ValidatedOrder | None:
    """The order of one stream entry; None where it says that it only reduces.

    What cannot be read counts as an order that may add risk.
    """
    entry_id = text(entry[0])
    order = json_object(payload(entry[1])) or {}
    if order.get("reduce_only") is True:
        return None
    words = {name: clean(order[name], 60) if name in order else None for name in _NAMES}
    return ValidatedOrder(entry_id, id_ms(entry_id) / 1000, **words, qty=number(order.get("qty")))


_NAMES = ("order_id", "strategy", "symbol", "side")
