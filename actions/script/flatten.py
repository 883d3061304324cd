"""Flatten: every position closed with reduce-only orders under an engaged kill switch, within the brokers' rates."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from actions.checks import FAIL, PASS, WARN, evidence_error, step_world_check
from actions.script.book import LEDGER_EQUAL, held, ledger_equal, listed
from actions.script.command import Command, command_step, program_check
from actions.step import Result, Stage, Step
from cockpit.config import Settings
from cockpit.model.audit import Operator
from cockpit.model.danger import Danger
from cockpit.model.job import JobStep, StepState
from cockpit.model.plan import Check, Plan
from cockpit.model.snapshot import Snapshot

ID = "script.flatten"
EVIDENCE = frozenset({"redis", "risk", "kill_switch", "venues"})
DEADLINE_S = 20.0
FLAT = "every position is 0"
NEVER_FLIPPED = "no position changed its sign"


def plan(settings: Settings, operator: Operator, parameters: Mapping[str, str], snapshot: Snapshot, now: float) -> Plan:
    """What flattening would do now."""
    count = len(held(snapshot))
    return Plan(
        action=ID,
        title="Flatten all positions",
        sentence="Closes every position at the market with reduce-only orders. This trades, and costs money.",
        world=settings.world,
        site=settings.site,
        target="positions",
        danger=Danger.DANGER,
        parameters=(),
        steps=(command_step("positions closed", settings.scripts.flatten, settings.scripts.flatten_timeout_s),),
        checks=tuple(_checks(settings, snapshot, now)),
        impact=tuple(_impact(settings, snapshot)),
        proofs=(FLAT, NEVER_FLIPPED, LEDGER_EQUAL),
        proof_deadline_s=DEADLINE_S,
        undo="none: positions have to be built up again by trading",
        phrase=f"FLATTEN {count} POSITION{'' if count == 1 else 'S'}",
        needs_reason=True,
        locks=("book",),
        prepared_at=now,
    )


def steps(plan: Plan) -> tuple[Step, ...]:
    """The program."""
    return (_Flatten(plan, 0),)


class _Flatten(Command):
    def before(self, stage: Stage) -> dict[str, Any]:
        """What was held: a sign that turns is seen by it."""
        return {"held": held(stage.snapshot)}

    def probe(self, stage: Stage) -> Result:
        """Whether anything is still held."""
        sample = stage.snapshot.risk
        if sample.value is None or not sample.is_live(stage.clock.now()):
            return Result(StepState.UNKNOWN, sample.error or "positions not read")
        left = held(stage.snapshot)
        if left:
            return Result(StepState.FAILED, f"still open: {listed(left)}")
        return Result(StepState.DONE, "nothing is held")


def judge(stage: Stage) -> tuple[JobStep, ...]:
    """Nothing is held, nothing was turned round, and the ledger says so too."""
    sample = stage.snapshot.risk
    if sample.value is None or not sample.is_live(stage.clock.now()):
        why = sample.error or "positions not read"
        return (*(JobStep(name, StepState.UNKNOWN, why) for name in (FLAT, NEVER_FLIPPED)), ledger_equal(stage))
    left = held(stage.snapshot)
    before = stage.facts.get("held") or {}
    if left:
        flat = JobStep(FLAT, StepState.RUNNING, f"still open: {listed(left)}")
    else:
        flat = JobStep(FLAT, StepState.DONE, f"{len(before)} were held")
    turned = {one: qty for one, qty in left.items() if qty is not None and qty * (before.get(one) or 0.0) < 0}
    if turned:
        return (flat, JobStep(NEVER_FLIPPED, StepState.FAILED, listed(turned)), ledger_equal(stage))
    return (flat, JobStep(NEVER_FLIPPED, StepState.DONE, "none did"), ledger_equal(stage))


def _checks(settings: Settings, snapshot: Snapshot, now: float) -> Iterator[Check]:
    yield from step_world_check(settings.world)
    yield program_check(settings, settings.scripts.flatten)
    yield _halted(snapshot, now)
    unknown = evidence_error("positions", snapshot.risk, now) or evidence_error("Redis answers", snapshot.redis, now)
    if unknown is not None:
        yield unknown
        return
    count, age_s = len(held(snapshot)), snapshot.risk.age_s(now)
    is_any = count > 0
    yield Check("positions", PASS if is_any else FAIL, f"{count} held" if is_any else "already flat", age_s)
    redis = snapshot.redis.value
    if redis is not None and (redis.refuses_writes or redis.role not in ("master", "primary")):
        yield Check("writes accepted", FAIL, "Redis refuses writes: no order can be sent", snapshot.redis.age_s(now))
    for venue in snapshot.venues.value or ():
        if venue.status != "up":
            words = f"{venue.status}: what is held there may stay open"
            yield Check(venue.name, WARN, words, snapshot.venues.age_s(now))


def _halted(snapshot: Snapshot, now: float) -> Check:
    """Capital first: while trading is enabled the strategies would buy back what this sells."""
    unknown = evidence_error("kill switch", snapshot.kill_switch, now)
    if unknown is not None:
        return unknown
    assert snapshot.kill_switch.value is not None
    age_s = snapshot.kill_switch.age_s(now)
    if not snapshot.kill_switch.value.is_engaged:
        return Check("kill switch", FAIL, "not engaged: press K first, or the strategies trade against it", age_s)
    return Check("kill switch", PASS, "engaged", age_s)


def _impact(settings: Settings, snapshot: Snapshot) -> Iterator[str]:
    risk = snapshot.risk.value
    if risk is None:
        yield "positions are unknown"
        return
    gross = "unknown" if risk.gross_usd is None else f"{risk.gross_usd:,.0f}"
    net = "unknown" if risk.net_usd is None else f"{risk.net_usd:,.0f}"
    yield f"{len(held(snapshot))} positions, gross {gross}, net {net}: {listed(held(snapshot))}"
    slices = [math.ceil(abs(one.notional_usd or 0.0) / settings.scripts.slice_usd) for one in risk.positions if one.qty]
    orders, per_s = sum(max(1, one) for one in slices), settings.scripts.orders_per_s
    yield f"about {orders} orders, at most {per_s} a second and venue: {orders / per_s:.0f} s where all are at one"
    yield "orders at the market: a closed market fills nothing, and what stays open is listed"
