"""Engage the kill switch: protective, so nothing that the cockpit knows or does not know forbids it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import TypeVar

from actions.checks import evidence_error, world_check
from actions.kill_switch.intent import Write, kill_switch_key, step
from actions.kill_switch.proofs import EngageProofs
from actions.kill_switch.redis_checks import redis_checks, softened
from actions.kill_switch.words import FLAT, open_orders, other_rungs, positions, rate, standing
from cockpit.config import Settings
from cockpit.model.audit import Operator
from cockpit.model.plan import Check, Confirmation, Danger, Plan, Verdict
from cockpit.model.snapshot import Snapshot
from cockpit.text import clean

ID = "kill_switch.engage"
DEFAULT_REASON = "engaged by hand"
DEADLINE_S = 12.0
STEP = "kill switch set in Redis"
UNJUDGED = Check("checks", Verdict.WARN, "the rest could not be judged; tried all the same")
KEPT = "The wish is kept on this host: while a cockpit is open here, it is engaged as soon as Redis takes it"
T = TypeVar("T")


def plan(settings: Settings, operator: Operator, parameters: Mapping[str, str], snapshot: Snapshot, now: float) -> Plan:
    """What engaging would do now; from the snapshot alone, so that the dialog opens at once."""
    reason = clean(parameters.get("reason") or DEFAULT_REASON).strip() or DEFAULT_REASON
    key = kill_switch_key(settings.redis)
    return Plan(
        action=ID,
        title="Engage the kill switch",
        sentence="Stops trading: from now on only orders that reduce a position pass the risk manager.",
        world=settings.world,
        site=settings.site,
        target=key,
        danger=Danger.PROTECT,
        parameters=(("reason", reason),),
        steps=(step(STEP, settings.redis, True, shlex.quote(reason), operator.label),),
        checks=tuple(_surely(_checks(settings, snapshot, now), UNJUDGED)),
        impact=tuple(_surely(_impact(snapshot, now), "the rest is unknown")),
        proofs=EngageProofs.NAMES,
        proof_deadline_s=DEADLINE_S,
        undo=f"Space b u releases it: type START TRADING {settings.site}, with a reason",
        prepared_at=now,
    )


def write(operator: Operator, plan: Plan, confirmation: Confirmation, ts_ms: int) -> Write:
    """What is written once it is confirmed."""
    return Write(True, operator.label, dict(plan.parameters)["reason"], ts_ms)


def failure(settings: Settings, error: str, is_known: bool) -> tuple[str, ...]:
    """What the operator must know and do when Redis did not take it, or did not say so."""
    verdict = "NOT HALTED by this" if is_known else "NOT KNOWN WHETHER HALTED"
    return (f"{verdict}: {error}. {KEPT}", *other_rungs(settings))


def _checks(settings: Settings, snapshot: Snapshot, now: float) -> Iterator[Check]:
    yield from world_check(settings.world)
    if settings.redis is None:
        yield Check("Redis", Verdict.FAIL, "no Redis is configured: nothing can be written")
        return
    yield _switch(snapshot, now)
    for check in redis_checks(settings, snapshot, now):
        yield softened(check)


def _surely(found: Iterator[T], otherwise: T) -> Iterator[T]:
    """All that could be found out: not even an error of ours may keep somebody from stopping trading."""
    try:
        yield from found
    except Exception:
        yield otherwise


def _switch(snapshot: Snapshot, now: float) -> Check:
    name = "kill switch"
    unknown = evidence_error(name, snapshot.kill_switch, now)
    if unknown is not None:
        return softened(unknown)
    switch = snapshot.kill_switch.value
    assert switch is not None
    age_s = snapshot.kill_switch.age_s(now)
    if switch.is_engaged:
        return Check(name, Verdict.WARN, f"already {standing(switch, now)}; once more sets it anew", age_s)
    return Check(name, Verdict.PASS, "released: trading is active", age_s)


def _impact(snapshot: Snapshot, now: float) -> Iterator[str]:
    old = [one.age_s(now) for one in (snapshot.flow, snapshot.venues, snapshot.risk) if not one.is_live(now)]
    ages_s = [age_s for age_s in old if age_s is not None]
    if ages_s:
        yield f"as last known, {max(ages_s):.0f} s ago: nothing newer could be read"
    validated = rate(snapshot, "validated")
    if validated is None:
        yield "all orders but reduce-only ones stop; how many a second is unknown"
    else:
        yield f"{validated:.0f} orders/s stop, all but reduce-only ones"
    yield open_orders(snapshot)
    yield positions(snapshot) if snapshot.risk.value is not None else f"positions stay open ({FLAT})"
