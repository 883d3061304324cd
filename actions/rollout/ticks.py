"""The proof that ingestion works: prices of the feed that the registry names arrive."""

from __future__ import annotations

from actions.step import Stage
from cockpit.model.job import JobStep, StepState

TICKS = "ticks arrive"


def ticks(stage: Stage) -> JobStep:
    """Ticks of the feed that the registry names arrive, and ingestion says that it follows it."""
    running = StepState.RUNNING
    snapshot, now = stage.snapshot, stage.clock.now()
    if snapshot.registry.value is None or snapshot.feeds.value is None or not snapshot.feeds.is_live(now):
        return JobStep(TICKS, StepState.UNKNOWN, snapshot.feeds.error or snapshot.registry.error or "feeds not read")
    primary, feeds = snapshot.registry.value.primary, snapshot.feeds.value
    feed = next((one for one in feeds.feeds if one.name == primary), None)
    if feed is None or feed.newest_age_s is None:
        return JobStep(TICKS, running, f"no tick of {primary} yet")
    if feeds.active is not None and feeds.active != primary:
        return JobStep(TICKS, running, f"ingestion still follows {feeds.active}, the registry says {primary}")
    if feed.newest_age_s > stage.settings.thresholds.feed_stalled_s:
        return JobStep(TICKS, running, f"the newest tick of {primary} is {feed.newest_age_s:.0f} s old")
    return JobStep(TICKS, StepState.DONE, f"from {primary}, the newest {feed.newest_age_s:.1f} s old")
