"""Drawdown from the peak of equity, over a window that forgets calm highs and keeps those of a fall."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

WINDOW_S = 900.0
BUCKET_S = 5.0


@dataclass(slots=True)
class Drawdown:
    """Equity's peak and the distance from it."""

    limit: float
    _peaks: deque[tuple[float, float]] = field(default_factory=deque)
    """Highest equity of each bucket of time."""

    @property
    def peak(self) -> float:
        """The highest equity in the window."""
        return max((equity for _, equity in self._peaks), default=0.0)

    def reset(self, at_s: float, equity: float) -> None:
        """Let the peak be what equity is now."""
        self._peaks.clear()
        self._peaks.append((at_s, equity))

    def observed(self, at_s: float, equity: float) -> float:
        """The drawdown as a fraction after seeing equity at a time."""
        if self._peaks and at_s - self._peaks[-1][0] < BUCKET_S:
            since, highest = self._peaks[-1]
            self._peaks[-1] = (since, max(highest, equity))
        else:
            self._peaks.append((at_s, equity))
        fall = self._fall(equity)
        # A fall past half the limit must not mend itself by its own high passing out of the window.
        if fall < self.limit / 2:
            while len(self._peaks) > 1 and self._peaks[0][0] < at_s - WINDOW_S:
                self._peaks.popleft()
            fall = self._fall(equity)
        return fall

    def _fall(self, equity: float) -> float:
        peak = self.peak
        return max(0.0, 1 - equity / peak) if peak > 0 else 0.0
