"""Which brokers the orders in flight are for: one that is dead explains why its own do not end, and no others."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping
from typing import Any

from actions import by_hand
from actions.order_flow.asking import answer, redis
from actions.step import Result, Stage, Step
from cockpit.clients.redis_facts import json_object, payload, text
from cockpit.clients.resp import ReplyError
from cockpit.config import RedisPart, Settings
from cockpit.model.job import JobStep, StepState
from cockpit.model.plan import PlanStep
from cockpit.text import clean

NAME = "nothing is stuck in flight, but at a dead broker"
MOST = 200
"""More than so many are not looked at one by one, and nothing explains them."""
FACT = "in_flight_at"
DONE, RUNNING, UNKNOWN = StepState.DONE, StepState.RUNNING, StepState.UNKNOWN


def planned(settings: Settings) -> PlanStep:
    """As it is done by hand."""
    words = _pending(settings.redis or RedisPart(), 10)
    return PlanStep("orders in flight looked at", shlex.join(words), by_hand.redis(settings.redis, *words))


class LookInFlight(Step):
    """Reads what the router has taken and not finished."""

    deadline_s = 5.0
    is_look = True

    async def perform(self, stage: Stage) -> Result:
        """How many for which venue; journaled, for the proof."""
        part = stage.settings.redis or RedisPart()
        async with redis(stage) as link:
            pending = await answer(link, _pending(part, MOST + 1))
            ids = [text(row[0]) for row in pending[:MOST]]
            found = await link.ask([("XRANGE", _stream(part), one, one) for one in ids]) if ids else []
        at = Counter(_venue(entries) for entries in found)
        words = ", ".join(f"{venue} {count}" for venue, count in sorted(at.items())) or "none"
        return Result(DONE, words, {FACT: dict(at) | ({"?": 1} if len(pending) > MOST else {})})

    def probe(self, stage: Stage) -> Result:
        """Looking changes nothing: it may count as not done."""
        return Result(StepState.FAILED, "not looked at")


def judge(stage: Stage) -> JobStep:
    """Old ones are stuck, unless all of them are for brokers that are down."""
    flow = stage.snapshot.flow.value
    assert flow is not None
    if flow.in_flight is None:
        return JobStep(NAME, UNKNOWN, "how many orders are in flight is not known")
    oldest = flow.oldest_in_flight_s
    words = f"{flow.in_flight} in flight" + (f", the oldest {oldest:.1f} s" if oldest is not None else "")
    if oldest is None or oldest <= stage.settings.thresholds.pending_age_s:
        return JobStep(NAME, DONE, words)
    at: Mapping[str, Any] = stage.facts.get(FACT) or {}
    if at and flow.in_flight <= sum(at.values()) and set(at) <= _dead(stage):
        return JobStep(NAME, DONE, f"{words}: all for {', '.join(sorted(at))}, which is down; ask there what became")
    return JobStep(NAME, RUNNING, words)


def _dead(stage: Stage) -> set[str]:
    sample = stage.snapshot.venues
    is_live = sample.value is not None and sample.is_live(stage.clock.now())
    return {one.name for one in sample.value or () if one.status == "down"} if is_live else set()


def _pending(part: RedisPart, most: int) -> list[str]:
    return ["XPENDING", _stream(part), part.router_group, "-", "+", str(most)]


def _stream(part: RedisPart) -> str:
    return part.order_streams.get("validated", "orders.validated")


def _venue(entries: Any) -> str:
    if isinstance(entries, ReplyError) or not entries:
        return "?"
    return clean((json_object(payload(entries[0][1])) or {}).get("venue") or "?", 20)
