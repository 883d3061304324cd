"""What the probes found out about trading: venues, order flow, feeds, risk, the kill switch.

Ages (`_s`) are as of the moment the probe read them; money is in the book's currency; None means unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cockpit.model.sample import Sample

AHEAD_MS = 2_000
"""Clocks differ by a little; what lies further ahead than this has no age."""


def age_s(at_ms: int | None, now_ms: int) -> float | None:
    """Seconds between two moments of one clock; None where the first lies ahead, for nobody knows when it was.

    >>> age_s(500, 1_500), age_s(2_000, 1_500), age_s(9_000, 1_500)
    (1.0, 0.0, None)
    """
    return None if at_ms is None or at_ms - now_ms > AHEAD_MS else max(0.0, (now_ms - at_ms) / 1000)


@dataclass(frozen=True, slots=True)
class SwitchRecord:
    """Who set the kill switch and when, in Unix seconds, as its key says."""

    by: str | None = None
    since: float | None = None


@dataclass(frozen=True, slots=True)
class KillSwitch:
    """policy:kill_switch as it stands in Redis; a missing key means that trading is enabled."""

    is_engaged: bool
    is_present: bool
    reason: str | None = None
    by: str | None = None
    since: float | None = None
    """Unix seconds at which it was set, by its own `ts` field; else when that was first seen."""
    outlived: SwitchRecord | None = None
    """What the key still says of an earlier change, where this one was made by hand and left no record."""


CONNECTED = frozenset({"up", "degraded"})
"""A broker that says one of these can count its orders."""


@dataclass(frozen=True, slots=True)
class Venue:
    """One broker as the router sees it (venue:status), and who takes its orders now."""

    name: str
    status: str
    """up, degraded, down, or whatever else the platform wrote."""
    age_s: float | None = None
    code: str | None = None
    message: str | None = None
    latency_ms: float | None = None
    open_orders: int | None = None
    """None = unknown: what a broker holds that is not connected, or silent, nobody here knows."""
    open_orders_last_told: int | None = None
    """What its last report says, whether or not that can be believed now."""
    token_left_s: float | None = None
    override: str | None = None
    """The adapter that takes this venue's orders instead, where policy:route_override says so."""

    @property
    def orders_words(self) -> str:
        """How many orders are open there, else that it is unknown and what was told last."""
        if self.open_orders is not None:
            return str(self.open_orders)
        if self.open_orders_last_told is None:
            return "unknown"
        # The router reports a broker that is down anew each second: its number is older than that.
        is_silent = self.status in CONNECTED and self.age_s is not None
        return f"unknown, {self.open_orders_last_told} last told" + (f" {self.age_s:.0f} s ago" if is_silent else "")


NOT_READ: Sample[Mapping[str, tuple[float, ...]]] = Sample(error="not asked for", is_asked=False)


@dataclass(frozen=True, slots=True)
class Reach:
    """The cockpit's own look at a broker, past the router: handshake or HTTP probe."""

    venue: str
    is_up: bool
    took_ms: float
    detail: str
    """One line: what answered, or what went wrong."""
    is_degraded: bool = False
    """It answers, but would not serve us: the token is refused, we ask too often."""
    held: Sample[Mapping[str, tuple[float, ...]]] = NOT_READ
    """Symbol -> quantity in each account that holds any, as the broker itself says; asked more seldom than the rest."""
    lacks: str = ""
    """What it was asked without, so that nobody knows whether it would serve us; empty where that is known."""


@dataclass(frozen=True, slots=True)
class Group:
    """One consumer group of a stream."""

    name: str
    lag: int | None
    """Entries not yet delivered; None = unknown."""
    is_lag_capped: bool
    """The count stopped at its cap: there are at least `lag`."""
    pending: int | None
    oldest_pending_s: float | None
    consumers: int
    has_lost_entries: bool
    """Entries were trimmed before this group read them."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One Redis stream: depth, flow and its groups."""

    name: str
    label: str
    depth: int | None
    """None where the stream does not exist, or could not be read."""
    rate_per_s: float | None
    newest_ms: int | None
    """When the newest entry came, by Redis' own clock: of thousands that stand still none is made anew to be older."""
    groups: tuple[Group, ...] = ()
    fault: str | None = None
    """Why it could not be read: denied, or something else than a stream."""


@dataclass(frozen=True, slots=True)
class OrderFlow:
    """The order streams, incoming to fills."""

    streams: tuple[Stream, ...]
    in_flight: int | None
    """Validated orders that the router has not finished: its lag and its pending entries."""
    oldest_in_flight_s: float | None
    restless: tuple[Stream, ...] | None = None
    """Those of which there is anything to say beside their depth; None where nobody has looked."""
    now_ms: int = 0
    """When this was so, by Redis' own clock."""

    def age_s(self, stream: Stream) -> float | None:
        """Seconds since the stream's newest entry; None where there is none, or nobody knows."""
        return age_s(stream.newest_ms, self.now_ms)

    @property
    def judged(self) -> tuple[Stream, ...]:
        """Those that rules have to look at: of thousands most stand still, and all is read."""
        return self.streams if self.restless is None else self.restless

    def stream(self, label: str) -> Stream | None:
        """The stream with this label (incoming, validated, rejected, fills)."""
        return next((stream for stream in self.streams if stream.label == label), None)


@dataclass(frozen=True, slots=True)
class Feed:
    """One market data feed, measured on its tick stream."""

    name: str
    lag_p50_ms: float | None
    """From the exchange's time in the tick to its arrival in Redis."""
    lag_p95_ms: float | None
    tick_rate_per_s: float | None
    newest_age_s: float | None
    gaps: int
    """Silences longer than the configured gap since the cockpit began to watch."""
    last_gap_age_s: float | None
    stream: Stream


@dataclass(frozen=True, slots=True)
class Feeds:
    """All feeds, and what became of them as candles."""

    feeds: tuple[Feed, ...]
    active: str | None
    """The feed that ingestion runs on now, where the platform says so."""
    candle_interval_s: float | None = None
    candle_age_s: float | None = None
    candles_missing: int | None = None
    candle_gaps: tuple[str, ...] = ()
    """Where they are missing, a line a gap, as far as the platform lists them."""
    candles_lost: int | None = None
    """How many there will never be, because no feed has a tick for them; not among those that are missing."""
    candles_lost_age_s: float | None = None
    """How long ago the newest of them should have begun."""


@dataclass(frozen=True, slots=True)
class Registry:
    """registry.yaml: which feed should be primary and which backup."""

    primary: str
    backup: str
    changed_at: float


@dataclass(frozen=True, slots=True)
class Limits:
    """risk:limits; None where a limit is not set."""

    var_99: float | None = None
    es_975: float | None = None
    drawdown_pct: float | None = None
    """As a fraction: 0.05 is 5 %."""
    gross_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """One position of the book."""

    symbol: str
    qty: float | None
    """None where the position cannot be read: not flat, unknown."""
    avg_px: float | None
    mark: float | None
    notional_usd: float | None


@dataclass(frozen=True, slots=True)
class Risk:
    """The newest risk.metrics entry, the limits and the positions."""

    age_s: float
    book: str
    var_99: float | None
    es_975: float | None
    drawdown_pct: float | None
    gross_usd: float | None
    net_usd: float | None
    pnl_day: float | None
    limits: Limits
    positions: tuple[Position, ...]

    @property
    def held(self) -> int:
        """How many positions are not flat, with those that cannot be read: nothing says that these are."""
        return sum(position.qty is None or position.qty != 0 for position in self.positions)

    @property
    def held_words(self) -> str:
        """The same in words; a position that cannot be read is told beside the number."""
        unreadable = sum(position.qty is None for position in self.positions)
        words = f"{self.held:,} position{'' if self.held == 1 else 's'}"
        return f"{words}, {unreadable:,} unreadable" if unreadable else words


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """One component's last sign of life (engine:hb)."""

    component: str
    age_s: float | None
    """None where what it wrote is not a time."""
