"""Verify the order flow: not only how long the streams are, but whether orders pass, how fast, and how far behind."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import replace

from actions import by_hand
from actions.checks import WARN, evidence_error
from actions.order_flow import counting, in_flight
from actions.order_flow.asking import answer, redis
from actions.order_flow.counting import Rate
from actions.step import Result, Stage, Step
from cockpit.config import Settings
from cockpit.model.audit import Operator
from cockpit.model.danger import Danger
from cockpit.model.job import JobStep, StepState
from cockpit.model.plan import Check, Plan, PlanStep
from cockpit.model.snapshot import Snapshot
from cockpit.model.states import OrderFlow

ID = "order_flow.verify"
EVIDENCE = frozenset({"flow", "kill_switch", "venues"})
DEADLINE_S = 10.0
FRESH_S = 5.0
"""A platform that trades validates and fills several orders a second."""
VERIFIED = ("validated", "fills")

FLOWS = {"validated": "orders are validated, or held by the halt", "fills": "orders are filled, or held by the halt"}
LAG = "nobody is behind"
DONE, RUNNING, UNKNOWN = StepState.DONE, StepState.RUNNING, StepState.UNKNOWN


def plan(settings: Settings, operator: Operator, parameters: Mapping[str, str], snapshot: Snapshot, now: float) -> Plan:
    """What is looked at; nothing is changed."""
    streams = _streams(settings)
    return Plan(
        action=ID,
        title="Verify the order flow",
        sentence="Looks whether orders pass now, or only the halt holds them, and what is stuck. Changes nothing.",
        world=settings.world,
        site=settings.site,
        target="order flow",
        danger=Danger.OBSERVE,
        parameters=(),
        steps=(*(_count(settings, stream) for stream in streams), in_flight.planned(settings)),
        checks=tuple(_checks(snapshot, now)),
        impact=("none: it only reads",),
        proofs=(*(FLOWS[label] for label in VERIFIED), LAG, in_flight.NAME),
        proof_deadline_s=DEADLINE_S,
        undo="nothing to undo",
        prepared_at=now,
    )


def steps(plan: Plan) -> tuple[Step, ...]:
    """The runbook's own XLEN, one a stream, and a look at what is in flight."""
    return (*(_Count(at) for at in range(len(plan.steps) - 1)), in_flight.LookInFlight())


def _count(settings: Settings, stream: str) -> PlanStep:
    return PlanStep(f"{stream} counted", f"XLEN {shlex.quote(stream)}", by_hand.redis(settings.redis, "XLEN", stream))


class _Count(Step):
    deadline_s = 5.0

    def __init__(self, index: int) -> None:
        self._index = index

    async def perform(self, stage: Stage) -> Result:
        """How many entries it holds; a capped stream stays as long as it is while thousands pass."""
        async with redis(stage) as link:
            count = await answer(link, ("XLEN", _streams(stage.settings)[self._index]))
            began = {} if counting.SINCE in stage.facts else {counting.SINCE: await counting.now_ms(link)}
        return Result(DONE, f"{count} entries", began)

    def probe(self, stage: Stage) -> Result:
        """Counting changes nothing: it may count as not done."""
        return Result(StepState.FAILED, "not counted")


async def judge(stage: Stage) -> tuple[JobStep, ...]:
    """Rate and newest age of both streams, lag, and what is in flight.

    Raises:
        BackendError: Redis did not answer.
    """
    sample, now = stage.snapshot.flow, stage.clock.now()
    if sample.value is None or not sample.is_live(now):
        return tuple(JobStep(name, UNKNOWN, sample.error or "not read") for name in stage.plan.proofs)
    rates = await counting.rates(stage, sample.value)
    flows = (flowing(stage, sample.value, label, rates) for label in VERIFIED)
    return (*flows, _lag(stage), in_flight.judge(stage))


def flowing(stage: Stage, flow: OrderFlow, label: str, rates: Mapping[str, Rate] | None) -> JobStep:
    """Whether orders pass this stream, or the halt alone holds them."""
    name, stream = FLOWS[label], flow.stream(label)
    if stream is None or stream.depth is None:
        return JobStep(name, RUNNING, "there is no such stream")
    if rates is None:
        return JobStep(name, RUNNING, "its orders are being counted")
    rate, newest_s = rates.get(label), flow.age_s(stream)
    if rate is None or newest_s is None:
        return JobStep(name, UNKNOWN, "its rate is not known")
    words = f"{rate.per_s:.1f}/s over {rate.over_s:.1f} s, the newest {newest_s:.1f} s old, {stream.depth} kept"
    if rate.per_s > 0 and newest_s <= FRESH_S:
        return JobStep(name, DONE, words)
    state, held = _held(stage, rates)
    return JobStep(name, state, f"{held}; {words}" if held else words)


def _held(stage: Stage, rates: Mapping[str, Rate]) -> tuple[StepState, str]:
    """Whether a flow that stands still is as it should be: orders arrive, and the halt alone holds them."""
    sample = stage.snapshot.kill_switch
    if sample.value is None or not sample.is_live(stage.clock.now()) or not sample.value.is_engaged:
        return RUNNING, ""
    incoming, rejected = (rates[label].per_s if label in rates else 0.0 for label in ("incoming", "rejected"))
    if not incoming:
        return RUNNING, "trading is halted, and no order arrives to see more by"
    if not rejected:
        return RUNNING, f"trading is halted, but the {incoming:.1f}/s that arrive are not refused either"
    return DONE, f"held by the halt, as it should be: {incoming:.1f}/s arrive, {rejected:.1f}/s are refused"


def _lag(stage: Stage) -> JobStep:
    flow = stage.snapshot.flow.value
    assert flow is not None
    found = [(f"{one.name}/{group.name}", group) for one in flow.streams for group in one.groups]
    if not found:
        return JobStep(LAG, RUNNING, "no consumer group at all")
    unknown = [name for name, group in found if group.lag is None]
    words = ", ".join(f"{name} {'unknown' if group.lag is None else group.lag}" for name, group in found)
    if unknown:
        return JobStep(LAG, UNKNOWN, words)
    limit = stage.settings.thresholds.group_lag
    is_behind = any((group.lag or 0) > limit or group.has_lost_entries for _, group in found)
    return JobStep(LAG, RUNNING if is_behind else DONE, words)


def _streams(settings: Settings) -> tuple[str, ...]:
    names = settings.redis.order_streams if settings.redis is not None else {}
    return tuple(names.get(label, f"orders.{label}") for label in VERIFIED)


def _checks(snapshot: Snapshot, now: float) -> Iterator[Check]:
    unknown = evidence_error("flow read", snapshot.flow, now)
    if unknown is not None:
        yield replace(unknown, verdict=WARN, excused=unknown.verdict, detail=f"{unknown.detail}; asked anew")
