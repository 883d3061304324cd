"""Hears snapshots on the observing thread, for somebody who waits on another."""

from __future__ import annotations

import threading

from cockpit.model.snapshot import Snapshot

TWICE = "feeds"
"""Rates, and findings on noisy numbers, need two readings of Redis."""


class Ear:
    """Keeps the newest snapshot, and knows when the first round is complete."""

    def __init__(self, fields: frozenset[str]) -> None:
        self._fields = fields
        self._is_complete = threading.Event()
        self._heard = threading.Event()
        self._readings: set[float] = set()
        self.newest: Snapshot | None = None

    def __call__(self, snapshot: Snapshot) -> None:
        """One more snapshot."""
        self.newest = snapshot
        if snapshot.feeds.value_at is not None:
            self._readings.add(snapshot.feeds.value_at)
        if self._is_round(snapshot):
            self._is_complete.set()
        self._heard.set()

    def wait_round(self, timeout_s: float) -> bool:
        """Wait until every backend has answered or failed; False when some have done neither in time."""
        return self._is_complete.wait(timeout_s)

    def wait_any(self, timeout_s: float) -> Snapshot | None:
        """The newest snapshot, as soon as there is one."""
        self._heard.wait(timeout_s)
        return self.newest

    @property
    def missing(self) -> frozenset[str]:
        """The fields that have neither been read nor failed; of feeds also while the second reading is to come."""
        newest = self.newest
        if newest is None:
            return self._fields
        untried = self._untried(newest)
        return untried if untried or self._is_round(newest) else frozenset({TWICE})

    def _untried(self, snapshot: Snapshot) -> frozenset[str]:
        """What waits for a password or a login has not been asked either."""
        samples = {field: getattr(snapshot, field) for field in self._fields}
        return frozenset(name for name, one in samples.items() if one.tried_at is None or not one.is_ready)

    def _is_round(self, snapshot: Snapshot) -> bool:
        is_tried = not self._untried(snapshot)
        is_failing = TWICE not in self._fields or snapshot.feeds.error is not None
        return is_tried and (is_failing or len(self._readings) >= 2)
