"""Release the kill switch: dangerous, so every piece of evidence must be fresh and good."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from actions.checks import evidence_error, world_check
from actions.kill_switch.intent import Halt, Write, kill_switch_key, step
from actions.kill_switch.proofs import ReleaseProofs
from actions.kill_switch.reconciled import reconciled
from actions.kill_switch.redis_checks import redis_checks
from actions.kill_switch.release_checks import brokers, drained, feeds, limits
from actions.kill_switch.words import positions, rate, standing
from cockpit.config import Settings
from cockpit.errors import Rejected
from cockpit.model.audit import Operator
from cockpit.model.plan import Check, Confirmation, Danger, Plan, Verdict
from cockpit.model.snapshot import Snapshot
from cockpit.text import clean

ID = "kill_switch.release"
DEADLINE_S = 12.0
STEP = "kill switch released in Redis"


def plan(settings: Settings, operator: Operator, parameters: Mapping[str, str], snapshot: Snapshot, now: float) -> Plan:
    """What releasing would do now."""
    key = kill_switch_key(settings.redis)
    switch = snapshot.kill_switch.value
    is_any = switch is not None and (switch.is_engaged or snapshot.latch is not None)
    halt = Halt.of(switch) if switch is not None and is_any else None
    return Plan(
        action=ID,
        title="Release the kill switch",
        sentence="Trading starts again: the risk manager lets every order within its limits pass.",
        world=settings.world,
        site=settings.site,
        target=key,
        danger=Danger.DANGER,
        parameters=() if halt is None else halt.parameters,
        steps=(step(STEP, settings.redis, False, "<the reason that you give>", operator.label, halt),),
        checks=tuple(_checks(settings, snapshot, now)),
        impact=tuple(_impact(snapshot)),
        proofs=ReleaseProofs.NAMES,
        proof_deadline_s=DEADLINE_S,
        undo="K engages it again",
        phrase=f"START TRADING {settings.site}",
        needs_reason=True,
        locks=("book",),
        prepared_at=now,
    )


def write(operator: Operator, plan: Plan, confirmation: Confirmation, ts_ms: int) -> Write:
    """What is written once it is confirmed: only over the halt that was seen.

    Raises:
        Rejected: none was.
    """
    halt = Halt.from_parameters(dict(plan.parameters))
    if halt is None:
        raise Rejected("no halt was seen that could be released")
    return Write(False, operator.label, clean(confirmation.reason or "").strip(), ts_ms, halt)


def failure(settings: Settings, error: str, is_known: bool) -> tuple[str, ...]:
    """What the operator must know when Redis did not take it, or did not say so."""
    verdict = "NOT RELEASED by this" if is_known else "NOT KNOWN WHETHER RELEASED"
    return (f"{verdict}: {error}",)


def _checks(settings: Settings, snapshot: Snapshot, now: float) -> Iterator[Check]:
    yield from world_check(settings.world)
    if settings.redis is None:
        yield Check("Redis", Verdict.FAIL, "no Redis is configured: nothing can be written")
        return
    yield _switch(snapshot, now)
    yield from brokers(settings, snapshot, now)
    yield from limits(settings, snapshot, now)
    yield from drained(settings, snapshot, now)
    yield from reconciled(settings, snapshot, now)
    yield feeds(settings, snapshot, now)
    yield from redis_checks(settings, snapshot, now)


def _switch(snapshot: Snapshot, now: float) -> Check:
    name = "kill switch"
    unknown = evidence_error(name, snapshot.kill_switch, now)
    if unknown is not None:
        return unknown
    switch = snapshot.kill_switch.value
    assert switch is not None
    age_s = snapshot.kill_switch.age_s(now)
    if not switch.is_engaged and snapshot.latch is not None:
        words = (
            f"released by {switch.by or 'somebody unnamed'} elsewhere; this lets go of the latch by {snapshot.latch.by}"
        )
        return Check(name, Verdict.WARN, words, age_s)
    if not switch.is_engaged:
        return Check(name, Verdict.FAIL, "not engaged: there is nothing to release", age_s)
    return Check(name, Verdict.PASS, standing(switch, now), age_s)


def _impact(snapshot: Snapshot) -> Iterator[str]:
    incoming = rate(snapshot, "incoming")
    yield "how many orders wait to flow is unknown" if incoming is None else f"{incoming:.0f} orders/s flow again"
    yield positions(snapshot)
    yield "does not send again what was rejected meanwhile, and undoes no reroute"
    yield "cancels nothing and closes nothing: open orders and positions stay"
    yield "does not lift a limit: the risk manager engages again when one is passed"
