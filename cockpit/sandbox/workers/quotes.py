"""The latest price of each symbol, from the feed in use."""

from __future__ import annotations

from cockpit.sandbox.workers.instruments import FEEDS, SYMBOLS
from cockpit.sandbox.workers.redis_line import RedisLine
from cockpit.sandbox.workers.streams import decode, ticks

LOOK_BACK = len(SYMBOLS) * 4
"""Ticks that hold every symbol more than once: a feed sends its symbols in turn."""


class Quotes:
    """Prices as last seen, refreshed from the end of the active feed's stream."""

    def __init__(self, line: RedisLine) -> None:
        self._line = line
        self.feed = FEEDS[0]
        self.prices: dict[str, float] = {}

    def refresh(self) -> dict[str, float]:
        """Look again; symbols with no fresh tick keep their last price."""
        feed, newest = self._line.ask(
            ("HGET", "ingest:active", "feed"),
            ("XREVRANGE", ticks(self.feed), "+", "-", "COUNT", LOOK_BACK),
        )
        if feed in FEEDS and feed != self.feed:
            self.feed = feed
            newest = self._line.ask(("XREVRANGE", ticks(self.feed), "+", "-", "COUNT", LOOK_BACK))[0]
        for _, fields in reversed(newest):
            tick = decode(fields)
            if isinstance(tick.get("price"), float) and isinstance(tick.get("symbol"), str):
                self.prices[tick["symbol"]] = tick["price"]
        return self.prices
