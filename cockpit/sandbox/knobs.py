"""What can be turned in the sandbox: the one value that every fault is an edit of."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

Gate = Literal["open", "down", "blackhole", "error"]
"""How a served endpoint behaves: answers; refuses connections; accepts and never answers; answers 5xx."""

VenueMode = Literal["up", "partial", "slow", "down", "reset", "token_dead", "blackhole"]


@dataclass(frozen=True, slots=True)
class FeedKnobs:
    """One market data feed."""

    is_stalled: bool = False
    late_ms: int = 0
    is_gappy: bool = False


@dataclass(frozen=True, slots=True)
class Knobs:
    """Everything that can be wrong with the platform; the default is a healthy day."""

    feeds: dict[str, FeedKnobs] = field(default_factory=dict)
    venues: dict[str, VenueMode] = field(default_factory=dict)
    paused_groups: tuple[str, ...] = ()
    """Consumer groups whose worker stops reading (their lag grows)."""
    is_gateway_crashing: bool = False
    """Pods of ws-gateway exit with status 1 shortly after they start."""
    crashing_pod: str = ""
    """One pod of it does, by its name; the others go on."""
    is_api_crashing: bool = False
    """Pods of api do; trading does not need them."""
    price_shock: float = 0.0
    """Fraction by which prices stand moved against the positions held when it was set (0.08 = 8 %)."""
    volatility: float = 1.0
    """Factor on the market's volatility and on the scenarios that VaR and ES are taken from."""
    gates: dict[str, Gate] = field(default_factory=dict)
    """Served endpoints by name: kubernetes, docker, grafana, slack, smtp."""
    is_grafana_blind: bool = False
    """Grafana's data source is gone: its rules go to NoData."""

    def feed(self, name: str) -> FeedKnobs:
        """The feed's knobs, healthy where none were set."""
        return self.feeds.get(name, FeedKnobs())

    def venue(self, name: str) -> VenueMode:
        """The venue's mode, `up` where none was set."""
        return self.venues.get(name, "up")

    def gate(self, name: str) -> Gate:
        """The endpoint's gate, open where none was set."""
        return self.gates.get(name, "open")

    def with_feed(self, name: str, knobs: FeedKnobs) -> Knobs:
        """These knobs with one feed's replaced."""
        return replace(self, feeds={**self.feeds, name: knobs})

    def with_venue(self, name: str, mode: VenueMode) -> Knobs:
        """These knobs with one venue's mode replaced."""
        return replace(self, venues={**self.venues, name: mode})

    def with_gate(self, name: str, gate: Gate) -> Knobs:
        """These knobs with one endpoint's gate replaced."""
        return replace(self, gates={**self.gates, name: gate})
