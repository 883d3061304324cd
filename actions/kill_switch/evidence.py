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

    def is_dead(self, since_ms: int) -> bool:
        """Whether the router told after this moment that it is down: then nobody here can count, and that is known."""
        return self.status == "down" and (self.at_ms or 0) >= since_ms

    def is_counted(self, since_ms: int) -> bool:
        """Whether it reported a number after this moment; what a broker that is down holds nobody knows."""
        is_connected = self.status in ("up", "degraded")
        return is_connected and self.open_orders is not None and (self.at_ms or 0) >= since_ms


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
