"""Whether the world shows what a goal asks for, and since when: by the platform and the journals, never by keys."""

from __future__ import annotations

from collections.abc import Callable

from cockpit.model.drill import Drill, Goal
from cockpit.model.job import Phase
from cockpit.model.snapshot import Snapshot

Seen = Callable[[str, Drill, Snapshot, float], float | None]
"""Argument, drill, snapshot, when its turn came -> since when it is so; None where it is not, or not known."""


def met_at(goal: Goal, drill: Drill, snapshot: Snapshot) -> float | None:
    """When it was reached; None where it is not, or where the goal before it is not."""
    before = drill.met(goal.after) if goal.after else drill.started_at
    if before is None:
        return None
    kind, _, argument = goal.when.partition(":")
    at = KINDS[kind](argument, drill, snapshot, before)
    # What stands since before its turn counts from its turn on, and nothing counts from before the drill.
    return None if at is None else max(at, before)


def is_understood(when: str) -> bool:
    """Whether there is such a condition."""
    return when.partition(":")[0] in KINDS


def _finding(rules: str, drill: Drill, snapshot: Snapshot, turn: float) -> float | None:
    wanted = rules.split("|")
    found = [one.since for one in snapshot.assessment.findings if one.rule in wanted]
    return min(found, default=None)


def _cleared(rules: str, drill: Drill, snapshot: Snapshot, turn: float) -> float | None:
    """Known to be gone: what nobody could look at has not cleared."""
    if not snapshot.databases.is_live(snapshot.taken_at):
        return None
    return snapshot.taken_at if _finding(rules, drill, snapshot, turn) is None else None


def _halted(_: str, drill: Drill, snapshot: Snapshot, turn: float) -> float | None:
    """In Redis; where that is away, latched on this host since the drill began."""
    switch = snapshot.kill_switch.value
    if switch is not None and snapshot.kill_switch.is_live(snapshot.taken_at):
        return (switch.since or snapshot.taken_at) if switch.is_engaged else None
    latch = snapshot.latch
    return latch.ts_ms / 1000 if latch is not None and latch.ts_ms / 1000 >= drill.started_at else None


def halted_by(snapshot: Snapshot) -> str:
    """Whose halt it is, as _halted sees it; empty where nobody says."""
    switch = snapshot.kill_switch.value
    if switch is not None and snapshot.kill_switch.is_live(snapshot.taken_at):
        return switch.by or ""
    return snapshot.latch.by if snapshot.latch is not None else ""


def _released(_: str, drill: Drill, snapshot: Snapshot, turn: float) -> float | None:
    switch = snapshot.kill_switch.value
    if switch is None or switch.is_engaged or not snapshot.kill_switch.is_live(snapshot.taken_at):
        return None
    if drill.met("halted") is None:
        return None
    return switch.since or snapshot.taken_at


def _flat(_: str, drill: Drill, snapshot: Snapshot, turn: float) -> float | None:
    risk = snapshot.risk.value
    if risk is None or not snapshot.risk.is_live(snapshot.taken_at):
        return None
    return snapshot.taken_at if all(position.qty == 0 for position in risk.positions) else None


def _rerouted(argument: str, drill: Drill, snapshot: Snapshot, turn: float) -> float | None:
    name, _, to = argument.partition(":")
    if not snapshot.venues.is_live(snapshot.taken_at):
        return None
    found = next((venue for venue in snapshot.venues.value or () if venue.name == name), None)
    return snapshot.taken_at if found is not None and (found.override or "").lower() == to else None


def _switched(_: str, drill: Drill, snapshot: Snapshot, turn: float) -> float | None:
    registry = snapshot.registry.value
    if registry is None or not snapshot.registry.is_live(snapshot.taken_at):
        return None
    return registry.changed_at if registry.primary != dict(drill.facts).get("primary") else None


def _ingesting(_: str, drill: Drill, snapshot: Snapshot, turn: float) -> float | None:
    """Ingestion runs on what the registry names, and ticks come from it."""
    feeds, registry = snapshot.feeds.value, snapshot.registry.value
    if feeds is None or registry is None or not snapshot.feeds.is_live(snapshot.taken_at):
        return None
    feed = next((one for one in feeds.feeds if one.name == registry.primary), None)
    is_fresh = feed is not None and feed.newest_age_s is not None and feed.newest_age_s < 2.0
    return snapshot.taken_at if feeds.active == registry.primary and is_fresh else None


def _redis(_: str, drill: Drill, snapshot: Snapshot, turn: float) -> float | None:
    return snapshot.redis.value_at if snapshot.redis.is_live(snapshot.taken_at) else None


def _job(action: str, drill: Drill, snapshot: Snapshot, turn: float) -> float | None:
    """A step that was confirmed in its turn, and proven."""
    found = [
        job.ended_at
        for job in snapshot.jobs
        if job.action == action and job.phase is Phase.DONE and job.submitted_at >= turn and job.ended_at is not None
    ]
    return min(found, default=None)


KINDS: dict[str, Seen] = {
    "finding": _finding,
    "cleared": _cleared,
    "halted": _halted,
    "released": _released,
    "flat": _flat,
    "rerouted": _rerouted,
    "switched": _switched,
    "ingesting": _ingesting,
    "redis": _redis,
    "job": _job,
}
