"""What the proofs are judged by: Redis' clock and key, what passed through the order streams, the brokers' counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RiskyOrder:
    """An order validated after the act that is not known to only reduce a position."""

    at_ms: int
    words: str


@dataclass(frozen=True, slots=True)
class VenueCount:
    """A broker's open orders, by its own last report."""

    name: str
    open_orders: int | None
    at_ms: int | None
    status: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """One look at Redis after the act."""

    now_ms: int
    """Redis' clock."""
    switch: Mapping[str, str] = field(default_factory=dict)
    durable: str | None = None
    """Why the write survives a crash; None while nothing proves it."""
    durability: str = "unknown"
    """What Redis promises in general."""
    risky: tuple[RiskyOrder, ...] = ()
    """Since the look before."""
    validated: int = 0
    incoming: int = 0
    halted: int = 0
    """Rejected with reason kill_switch, since the look before."""
    venues: tuple[VenueCount, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)
    """Stream label -> why it could not be read."""
