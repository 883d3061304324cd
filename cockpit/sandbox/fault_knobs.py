"""Faults that are one turn of a knob: venues, feeds, paused consumer groups, gates of served APIs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from cockpit.sandbox.breakage import Breakage
from cockpit.sandbox.knobs import FeedKnobs, Gate, Knobs, VenueMode

LATE_MS = 300

Turn = Callable[[Knobs], Knobs]
IsTurned = Callable[[Knobs], bool]


class Board(Protocol):
    """Whoever holds the knobs."""

    @property
    def knobs(self) -> Knobs:
        """The knobs as they stand."""

    def turn(self, knobs: Knobs) -> None:
        """Make these the knobs that everything obeys."""


class KnobBreakage:
    """A fault that another fault on the same knob replaces."""

    def __init__(self, board: Board, turn: Turn, turn_back: Turn, is_turned: IsTurned) -> None:
        self._board = board
        self._turn, self._turn_back, self._is_turned = turn, turn_back, is_turned

    async def apply(self) -> None:
        """Turn the knob."""
        self._board.turn(self._turn(self._board.knobs))

    async def mend(self) -> None:
        """Turn it back, unless another fault has turned it elsewhere."""
        if self._is_turned(self._board.knobs):
            self._board.turn(self._turn_back(self._board.knobs))

    async def is_broken(self) -> bool:
        """Whether it still stands as this fault turned it."""
        return self._is_turned(self._board.knobs)


class FeedBreakage:
    """A fault of the feed that is primary when it is injected; it stays on that feed when the platform fails over."""

    def __init__(self, board: Board, primary: Callable[[], str], faults: FeedKnobs) -> None:
        self._board, self._primary, self._faults = board, primary, faults
        self._feed = ""

    async def apply(self) -> None:
        """Break the primary feed."""
        self._feed = self._primary()
        self._board.turn(self._board.knobs.with_feed(self._feed, self._faults))

    async def mend(self) -> None:
        """Heal that same feed."""
        if await self.is_broken():
            self._board.turn(self._board.knobs.with_feed(self._feed, FeedKnobs()))

    async def is_broken(self) -> bool:
        """Whether the feed still has exactly this fault."""
        return self._board.knobs.feed(self._feed) == self._faults


def knob_breakages(board: Board, primary: Callable[[], str]) -> dict[str, Breakage]:
    """All of them, by fault id."""
    return {
        "broker-down": _venue(board, "IBKR", "down"),
        "broker-partial": _venue(board, "IBKR", "partial"),
        "broker-slow": _venue(board, "IBKR", "slow"),
        "ibkr-reset": _venue(board, "IBKR", "reset"),
        "ibkr-blackhole": _venue(board, "IBKR", "blackhole"),
        "zerodha-token": _venue(board, "ZERODHA", "token_dead"),
        "zerodha-blackhole": _venue(board, "ZERODHA", "blackhole"),
        "feed-stalled": FeedBreakage(board, primary, FeedKnobs(is_stalled=True)),
        "feed-late": FeedBreakage(board, primary, FeedKnobs(late_ms=LATE_MS)),
        "feed-gappy": FeedBreakage(board, primary, FeedKnobs(is_gappy=True)),
        "grafana-nodata": KnobBreakage(
            board,
            lambda knobs: replace(knobs, is_grafana_blind=True),
            lambda knobs: replace(knobs, is_grafana_blind=False),
            lambda knobs: knobs.is_grafana_blind,
        ),
        **{f"lag-{group}": _paused(board, group) for group in ("risk", "router", "ledger", "candles")},
        **{
            f"{name}-{gate}": _gate(board, name, gate)
            for name in ("grafana", "kubernetes", "docker")
            for gate in ("down", "blackhole")
        },
    }


def _venue(board: Board, venue: str, mode: VenueMode) -> Breakage:
    return KnobBreakage(
        board,
        lambda knobs: knobs.with_venue(venue, mode),
        lambda knobs: knobs.with_venue(venue, "up"),
        lambda knobs: knobs.venue(venue) == mode,
    )


def _paused(board: Board, group: str) -> Breakage:
    return KnobBreakage(
        board,
        lambda knobs: replace(knobs, paused_groups=tuple(sorted({*knobs.paused_groups, group}))),
        lambda knobs: replace(knobs, paused_groups=tuple(each for each in knobs.paused_groups if each != group)),
        lambda knobs: group in knobs.paused_groups,
    )


def _gate(board: Board, name: str, gate: Gate) -> Breakage:
    return KnobBreakage(
        board,
        lambda knobs: knobs.with_gate(name, gate),
        lambda knobs: knobs.with_gate(name, "open"),
        lambda knobs: knobs.gate(name) == gate,
    )
