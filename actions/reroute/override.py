"""What rerouting and routing back share: the steps, the proofs, and what a venue's reports say."""

from __future__ import annotations

import asyncio
from typing import Any

from actions.step import Result, Stage, Step
from cockpit.clients.redis_route import RouteWriter
from cockpit.config import Settings
from cockpit.errors import ConfigError, TimedOut
from cockpit.model.job import JobStep, StepState
from cockpit.model.plan import Check, Plan, Verdict
from cockpit.model.snapshot import Snapshot
from cockpit.model.states import Venue

EVIDENCE = frozenset({"venues", "kill_switch", "flow", "redis"})
READ_BACK = "override reads back"
TAKES = "the venue that takes them is up"
SEEN_S = 20.0
LOOK_S = 0.25


class Write(Step):
    """The one write."""

    async def perform(self, stage: Stage) -> Result:
        """HSET or HDEL, with Redis' own time."""
        writer = _writer(stage.settings)
        asked = dict(stage.plan.parameters)
        try:
            at_ms = await writer.set_override(asked["venue"], asked.get("to"))
        finally:
            writer.close()
        return Result(StepState.DONE, "Redis took it", {"written_ms": at_ms})

    def probe(self, stage: Stage) -> Result:
        """What the hash says."""
        step = _read_back(stage)
        state = StepState.FAILED if step.state is StepState.RUNNING else step.state
        return Result(state, step.detail, {"written_ms": int(stage.clock.now() * 1000)})


class Seen(Step):
    """An order that was meant for the one venue, filled by the other."""

    deadline_s = SEEN_S + 5.0

    async def perform(self, stage: Stage) -> Result:
        """Wait for the first."""
        writer = _writer(stage.settings)
        asked, since_ms = dict(stage.plan.parameters), int(stage.facts["written_ms"])
        ends_at = stage.clock.monotonic() + SEEN_S
        by = asked.get("to") or asked["venue"]
        try:
            while stage.clock.monotonic() < ends_at:
                found = await writer.first_fill(asked["venue"], by, since_ms)
                if found is not None:
                    seconds = max(0.0, (found.at_ms - since_ms) / 1000)
                    return Result(StepState.DONE, f"order {found.order_id} filled by {by} after {seconds:.1f} s")
                stage.tell(f"no order for {asked['venue']} filled by {by} yet")
                await asyncio.sleep(LOOK_S)
        finally:
            writer.close()
        raise TimedOut(f"the override stands, but {by} has filled no order for {asked['venue']} in {SEEN_S:.0f} s")


def steps(plan: Plan) -> tuple[Step, ...]:
    """Where trading is halted no order can show it, and the plan has only the write."""
    return (Write(), Seen())[: len(plan.steps)]


def judge(stage: Stage) -> tuple[JobStep, ...]:
    """The hash, and who takes the orders now."""
    sample = stage.snapshot.venues
    if sample.value is None or not sample.is_live(stage.clock.now()):
        return tuple(JobStep(name, StepState.UNKNOWN, sample.error or "not read") for name in (READ_BACK, TAKES))
    asked = dict(stage.plan.parameters)
    taker = venue_of(stage.snapshot, asked.get("to") or asked["venue"])
    if taker is None:
        return (_read_back(stage), JobStep(TAKES, StepState.UNKNOWN, "it does not report"))
    words = f"{taker.name} {taker.status}"
    return (
        _read_back(stage),
        JobStep(TAKES, StepState.DONE if is_up(stage.settings, taker) else StepState.RUNNING, words),
    )


def _read_back(stage: Stage) -> JobStep:
    sample, asked = stage.snapshot.venues, dict(stage.plan.parameters)
    venue = venue_of(stage.snapshot, asked["venue"])
    if venue is None or not sample.is_live(stage.clock.now()):
        return JobStep(READ_BACK, StepState.UNKNOWN, sample.error or f"{asked['venue']} does not report")
    words = f"{venue.name} to {venue.override}" if venue.override else f"{venue.name}: no override"
    return JobStep(READ_BACK, StepState.DONE if venue.override == asked.get("to") else StepState.RUNNING, words)


def venue_of(snapshot: Snapshot, name: str) -> Venue | None:
    """A venue by its own or its adapter's name."""
    return next((one for one in snapshot.venues.value or () if one.name.lower() == name.lower()), None)


def is_up(settings: Settings, venue: Venue) -> bool:
    """Whether its last report is recent and good."""
    return venue.status == "up" and venue.age_s is not None and venue.age_s <= settings.thresholds.venue_silent_s


def stands(settings: Settings, snapshot: Snapshot, name: str) -> str:
    """How a broker stands now, in words."""
    venue = venue_of(snapshot, name)
    if venue is None:
        return "does not report"
    is_silent = venue.age_s is None or venue.age_s > settings.thresholds.venue_silent_s
    said = f"silent, said {venue.status}" if is_silent else venue.status
    unreached = any(one.venue == name and not one.is_up for one in snapshot.reach.value or ())
    to = f"orders go to {venue.override}" if venue.override else ""
    return ", ".join(part for part in (said, "not reached" if unreached else "", to) if part)


def taker_check(settings: Settings, name: str, venue: Venue | None, age_s: float | None) -> Check:
    """Whether the venue that is to take the orders can: up, reporting, logged in, quick."""
    if venue is None:
        return Check(name, Verdict.UNKNOWN, "it does not report", age_s)
    if not is_up(settings, venue):
        said = " ".join(part for part in (venue.status, venue.code, venue.message) if part)
        return Check(name, Verdict.FAIL, f"not fit to take orders: {said}", age_s, is_overridable=True)
    if venue.token_left_s is not None and venue.token_left_s <= 0:
        return Check(name, Verdict.FAIL, "its login has expired", age_s)
    latency = "unknown" if venue.latency_ms is None else f"{venue.latency_ms:.0f} ms"
    has_token = any(one.token is not None for one in settings.venues if one.name.lower() == venue.name.lower())
    token = ", how long its login is valid is unknown" if has_token else ""
    if venue.token_left_s is not None:
        token = f", login valid for {venue.token_left_s / 3600:.1f} h"
    is_slow = venue.latency_ms is None or venue.latency_ms > settings.thresholds.venue_latency_ms
    is_unsure = is_slow or (has_token and venue.token_left_s is None)
    return Check(name, Verdict.WARN if is_unsure else Verdict.PASS, f"up, latency {latency}{token}", age_s)


def is_halted(snapshot: Snapshot) -> bool:
    """Whether no order can pass that would show it."""
    return snapshot.kill_switch.value is not None and snapshot.kill_switch.value.is_engaged


def _writer(settings: Settings) -> RouteWriter:
    if settings.redis is None:
        raise ConfigError("no Redis is configured")
    return RouteWriter(settings.redis)


def asked_for(parameters: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Parameters of a plan, those without a value left out."""
    return tuple((name, str(value)) for name, value in parameters.items() if value)
