"""A halt that somebody wished for and Redis has not taken: told also while Redis does not answer at all."""

from __future__ import annotations

from collections.abc import Iterator

from cockpit.model.finding import Finding
from cockpit.model.severity import Severity
from cockpit.model.snapshot import Snapshot
from cockpit.severity import sections, words
from cockpit.severity.standing import WAITING, Raised


def waiting(snapshot: Snapshot) -> Iterator[Raised]:
    """The finding; none where no wish is kept, where it once came into force, or where somebody released it."""
    latch, sample = snapshot.latch, snapshot.kill_switch
    is_live = sample.is_live(snapshot.taken_at)
    if latch is None or not latch.waits(sample.value if is_live else None):
        return
    since = latch.wish_ms / 1000
    why = latch.trouble or ("tried again and again" if is_live else "Redis does not answer")
    finding = Finding(
        rule=WAITING,
        subject="kill switch",
        severity=Severity.P1,
        panel="risk",
        summary=f"HALT WAITING, by {latch.by} since {words.clock(since)}: {why}",
        observed="not engaged" if is_live else "unknown",
        threshold="engaged",
        since=since,
        section=sections.BROKER,
    )
    yield Raised(finding, since=since)
