"""Where an order goes: the adapter of its venue, or the one that an override names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cockpit.sandbox.workers.instruments import VENUES

ADAPTERS = {venue.lower(): venue for venue in VENUES}


def destination(order: Mapping[str, Any], overrides: Mapping[str, str]) -> str | None:
    """The venue whose adapter takes the order; None where there is no such adapter.

    >>> destination({"venue": "IBKR"}, {"IBKR": "zerodha"}), destination({"venue": "IBKR"}, {})
    ('ZERODHA', 'IBKR')
    >>> destination({"venue": "IBKR"}, {"IBKR": "nasdaq"}) is None
    True
    """
    venue = str(order.get("venue", ""))
    named = overrides.get(venue)
    if named:
        return ADAPTERS.get(named.strip().lower())
    return venue if venue in VENUES else None
