"""What a panel is given: one snapshot, the present, and the names and limits of the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from cockpit.config import Settings
    from cockpit.model.sample import Sample
    from cockpit.model.snapshot import Snapshot

EVERY_LINE = 400
"""Who asks a panel for so many lines wants all of them, to find a text in them."""


class View(NamedTuple):
    """One moment, as the screen shows it."""

    snapshot: Snapshot
    now: float
    settings: Settings | None = None

    def trend(self, series: str) -> tuple[float | None, ...]:
        """The newest points of a series; empty where there are none."""
        return self.snapshot.trends.get(series, ())

    def is_live(self, sample: Sample[Any]) -> bool:
        """Whether the sample may be shown as the present."""
        return sample.is_live(self.now)
