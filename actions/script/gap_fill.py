"""Fill the gaps in the candles: the program lists them, fills them from the feeds' history, and lists what is left."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from actions.checks import PASS, WARN, evidence_error, world_check
from actions.script.book import writable
from actions.script.command import Command, command_step, program_check
from actions.step import Result, Stage, Step
from cockpit.config import Settings
from cockpit.model.audit import Operator
from cockpit.model.danger import Danger
from cockpit.model.job import JobStep, StepState
from cockpit.model.plan import Check, Plan
from cockpit.model.snapshot import Snapshot
from cockpit.model.states import Feeds

ID = "script.gap_fill"
EVIDENCE = frozenset({"feeds", "redis"})
DEADLINE_S = 20.0
FILLED = re.compile(r"([\d,]+) filled, ([\d,]+) left")
MOST_LISTED = 12
NO_GAP = "no candle is missing that a feed has a tick for"
FRESH = "candles go on being made"
SLOTS = 3.0
"""The newest candle is at most so many intervals old."""


def plan(settings: Settings, operator: Operator, parameters: Mapping[str, str], snapshot: Snapshot, now: float) -> Plan:
    """What filling would do now."""
    return Plan(
        action=ID,
        title="Fill the candle gaps",
        sentence="Makes the candles that are missing from the ticks that the feeds' streams still hold.",
        world=settings.world,
        site=settings.site,
        target="candles",
        danger=Danger.DISRUPT,
        parameters=(),
        steps=(command_step("gaps listed and filled", settings.scripts.gap_fill, settings.scripts.gap_fill_timeout_s),),
        checks=tuple(_checks(settings, snapshot, now)),
        impact=tuple(_impact(snapshot)),
        proofs=(NO_GAP, FRESH),
        proof_deadline_s=DEADLINE_S,
        undo="none needed: a candle that exists is never touched, so none is made twice",
        phrase="candles",
        is_cancellable=True,
        prepared_at=now,
    )


def steps(plan: Plan) -> tuple[Step, ...]:
    """The program."""
    return (_Fill(plan, 0),)


class _Fill(Command):
    def read(self, said: str) -> dict[str, Any]:
        """How many it filled, and how many nobody can."""
        found = FILLED.search(said)
        return {} if found is None else {"filled": found[1], "left": found[2]}

    def probe(self, stage: Stage) -> Result:
        """Whether anything is left to fill."""
        missing = _missing(stage.snapshot)
        if missing == 0 and stage.snapshot.feeds.is_live(stage.clock.now()):
            return Result(StepState.DONE, NO_GAP)
        words = "unknown" if missing is None else str(missing)
        return Result(StepState.UNKNOWN, f"candles missing: {words}; it may be run again, it makes none twice")


def judge(stage: Stage) -> tuple[JobStep, ...]:
    """The aggregator's own count, after the act."""
    sample = stage.snapshot.feeds
    if sample.value is None or not sample.is_live(stage.clock.now()):
        return tuple(JobStep(name, StepState.UNKNOWN, sample.error or "not read") for name in (NO_GAP, FRESH))
    return (
        _no_gap(sample.value, stage.facts),
        _fresh(sample.value.candle_age_s, sample.value.candle_interval_s),
    )


def _no_gap(feeds: Feeds, facts: Mapping[str, Any]) -> JobStep:
    missing = feeds.candles_missing
    if missing is None:
        return JobStep(NO_GAP, StepState.UNKNOWN, "the aggregator does not say")
    if missing:
        return JobStep(NO_GAP, StepState.RUNNING, f"{missing} are: the job's output says which and why")
    filled, left = facts.get("filled"), facts.get("left")
    if left is None and feeds.candles_lost:
        left = f"{feeds.candles_lost:,}"
    counted = "none, by the aggregator's count" if filled is None else f"{filled} filled"
    words = counted if left in (None, "0") else f"{left} CANNOT BE FILLED, no feed has a tick for them; {counted}"
    return JobStep(NO_GAP, StepState.DONE, words)


def _fresh(age_s: float | None, interval_s: float | None) -> JobStep:
    if age_s is None or interval_s is None:
        return JobStep(FRESH, StepState.UNKNOWN, "the aggregator does not say")
    words = f"the newest {age_s:.0f} s old, one every {interval_s:.0f} s"
    return JobStep(FRESH, StepState.DONE if age_s <= SLOTS * interval_s else StepState.RUNNING, words)


def _missing(snapshot: Snapshot) -> int | None:
    return snapshot.feeds.value.candles_missing if snapshot.feeds.value else None


def _checks(settings: Settings, snapshot: Snapshot, now: float) -> Iterator[Check]:
    yield from world_check(settings.world)
    yield program_check(settings, settings.scripts.gap_fill)
    unknown = evidence_error("candles", snapshot.feeds, now)
    if unknown is not None:
        yield unknown
        return
    age_s, missing = snapshot.feeds.age_s(now), _missing(snapshot)
    if missing is None:
        yield Check("candles", WARN, "how many are missing is unknown", age_s)
    else:
        words = f"{missing} missing" if missing else "none is missing: there is nothing to fill"
        yield Check("candles", PASS if missing else WARN, words, age_s)
    yield writable(snapshot, now)


def _impact(snapshot: Snapshot) -> Iterator[str]:
    missing = _missing(snapshot)
    lost = snapshot.feeds.value.candles_lost if snapshot.feeds.value else None
    already = f", beside {lost:,} that no feed has a tick for" if lost else ""
    yield f"candles missing now: {'unknown' if missing is None else missing}{already}"
    gaps = snapshot.feeds.value.candle_gaps if snapshot.feeds.value else ()
    yield from gaps[:MOST_LISTED]
    if len(gaps) > MOST_LISTED:
        yield f"and {len(gaps) - MOST_LISTED} more gaps"
    yield "what no feed's stream holds any more stays missing, and the output says so"
