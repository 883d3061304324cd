"""The last hour of every series, one point a tick, in a few hundred kilobytes."""

from __future__ import annotations

import math
import threading
from array import array
from collections.abc import Mapping
from types import MappingProxyType

KEPT = 3600
SHOWN = 240
"""Points of a series in the snapshot; a panel's sparkline is never wider."""
MOST_SERIES = 256
"""Some names come from outside (venues); no more series than this are kept."""


class History:
    """Ring buffers over one time axis; written by the observing thread, read by any."""

    def __init__(self, kept: int = KEPT, shown: int = SHOWN) -> None:
        self._kept = kept
        self._shown = shown
        self._times = array("d", [math.nan]) * kept
        self._series: dict[str, array[float]] = {}
        self._newest: dict[str, tuple[float | None, ...]] = {}
        self._count = 0
        self._lock = threading.Lock()

    def add(self, at: float, values: Mapping[str, float | None]) -> None:
        """One point of every series; one that is not named here has no value now."""
        with self._lock:
            for name in values.keys() - self._series.keys():
                self._begin(name)
            slot = self._count % self._kept
            self._times[slot] = at
            for name, points in self._series.items():
                value = _number(values.get(name))
                points[slot] = math.nan if value is None else value
                self._newest[name] = (*self._newest[name][1 - self._shown :], value)[-self._shown :]
            self._count += 1

    def trends(self) -> Mapping[str, tuple[float | None, ...]]:
        """The newest points of every series, oldest first."""
        with self._lock:
            return MappingProxyType(dict(self._newest))

    def series(self, name: str) -> tuple[tuple[float, float | None], ...]:
        """All points kept of one series, with their times, oldest first; empty where it is unknown."""
        with self._lock:
            points = self._series.get(name)
            if points is None:
                return ()
            size = min(self._count, self._kept)
            return tuple(zip(self._last(self._times, size), map(_known, self._last(points, size)), strict=True))

    def names(self) -> tuple[str, ...]:
        """The series that exist."""
        with self._lock:
            return tuple(sorted(self._series))

    def _begin(self, name: str) -> None:
        """A series that comes later was unknown before."""
        if len(self._series) < MOST_SERIES:
            self._series[name] = array("d", [math.nan]) * self._kept
            self._newest[name] = (None,) * min(self._count, self._shown)

    def _last(self, ring: array[float], size: int) -> array[float]:
        end = self._count % self._kept
        start = end - size
        return ring[start:end] if start >= 0 else ring[start:] + ring[:end]


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
