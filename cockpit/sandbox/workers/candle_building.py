"""Ticks into candles."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(slots=True)
class Candle:
    """Open, high, low, close, number of ticks, and the feed they came from."""

    o: float
    h: float
    l: float  # noqa: E741 - the four letters that every chart uses
    c: float
    n: int
    source: str

    def fields(self) -> dict[str, Any]:
        """For the store."""
        return asdict(self)


@dataclass(slots=True)
class CandleBuilder:
    """Collects ticks by symbol and time slot until their slots are closed."""

    interval_ms: int
    _open: dict[tuple[int, str], Candle] = field(default_factory=dict)

    def slot(self, ts_ms: int) -> int:
        """The slot of a moment, named by its first millisecond."""
        return ts_ms // self.interval_ms * self.interval_ms

    def add(self, symbol: str, price: float, ts_ms: int, source: str) -> None:
        """Take in one tick."""
        key = (self.slot(ts_ms), symbol)
        candle = self._open.get(key)
        if candle is None:
            self._open[key] = Candle(price, price, price, price, 1, source)
            return
        candle.h = max(candle.h, price)
        candle.l = min(candle.l, price)
        candle.c = price
        candle.n += 1

    def closed(self, before_ms: int) -> list[tuple[int, str, Candle]]:
        """Take out the candles of all slots that end at or before a moment, oldest first."""
        keys = sorted(key for key in self._open if key[0] + self.interval_ms <= before_ms)
        return [(*key, self._open.pop(key)) for key in keys]
