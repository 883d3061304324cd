"""Sends a notice: every address at once, until it is delivered, refused or in doubt; none twice by itself."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from actions.notify.parcels import SLACK, Parcel, of_plan
from actions.notify.planning import NO_ALERTING, NOT_TOLD, plan_for, proof
from actions.step import Result, Stage, Step
from cockpit import paths
from cockpit.alerting.routing import Routing
from cockpit.clients import mail, slack
from cockpit.clients.bounded import in_daemon_thread
from cockpit.clients.delivery import Outcome, Try, deliver
from cockpit.config import Settings
from cockpit.errors import CockpitError
from cockpit.model.audit import Operator
from cockpit.model.job import JobStep, StepState
from cockpit.model.plan import Plan
from cockpit.model.snapshot import PROBES, Snapshot
from cockpit.model.world import World
from cockpit.storage.alerts_in_force import AlertsInForce
from cockpit.storage.notices import DELIVERED, FAILED, SENDING, UNKNOWN, Delivery, Notices

ID = "notify.send"
EVIDENCE = frozenset({"alerting"})
PLANNED_ON = frozenset(PROBES)
"""The text tells of everything; what was confirmed is judged by less."""
LONGEST_S = 110.0
STILL_S = 15.0
"""So much longer a sender may still be at it."""
STATES = {Outcome.DELIVERED: DELIVERED, Outcome.UNKNOWN: UNKNOWN}
CONFINED = (World.SANDBOX, World.REPLAY)


def plan(settings: Settings, operator: Operator, parameters: Mapping[str, str], snapshot: Snapshot, now: float) -> Plan:
    """The exact text, and who gets it by which channel: `audiences` names them, else all of alerts.yaml."""
    return plan_for(ID, parameters.get("audiences", "all"), settings, operator, parameters, snapshot, now)


def steps(plan: Plan) -> tuple[Step, ...]:
    """One: a channel that hangs must not keep the others waiting."""
    return (_Send(),)


def judge(stage: Stage) -> tuple[JobStep, ...]:
    """Each address by what was written down of it."""
    known = {one.key: one for one in notices(stage.settings).all()}
    found = of_plan(stage.plan, stage.snapshot.alerting.value or NO_ALERTING)
    proofs = [_proof(parcel, known.get(parcel.key(stage.plan.site))) for parcel in found]
    named = {one.name: one for one in proofs}
    lost = "alerts.yaml was changed meanwhile"
    return tuple(named.get(name, JobStep(name, StepState.UNKNOWN, lost)) for name in stage.plan.proofs)


def notices(settings: Settings) -> Notices:
    """The messages of this site."""
    return Notices(settings.state or paths.state_folder(settings.site))


def _proof(parcel: Parcel, known: Delivery | None) -> JobStep:
    name = proof(parcel)
    if known is None:
        return JobStep(name, StepState.FAILED, "not sent")
    if known.state == DELIVERED:
        return JobStep(name, StepState.DONE, known.detail)
    if known.state == FAILED:
        return JobStep(name, StepState.FAILED, f"not delivered: {known.detail}")
    why = known.detail or "its sender ended before it knew"
    return JobStep(name, StepState.UNKNOWN, f"may have been delivered: {why}")


class _Send(Step):
    deadline_s = LONGEST_S + 10.0
    settle_s = 0.0

    async def perform(self, stage: Stage) -> Result:
        """Every address at once."""
        file = AlertsInForce(stage.settings)
        routing = (await asyncio.wrap_future(in_daemon_thread(file.read))).routing
        found = of_plan(stage.plan, stage.snapshot.alerting.value or NO_ALERTING)
        if not found:
            return Result(StepState.FAILED, NOT_TOLD)
        ended = await asyncio.gather(*(_sent(stage, routing, parcel) for parcel in found))
        counted = Counter(one.state for one in ended)
        words = "; ".join(f"{parcel.where}: {_words(one)}" for parcel, one in zip(found, ended, strict=True))
        return Result(StepState.FAILED if counted[FAILED] == len(ended) else StepState.DONE, words)

    def probe(self, stage: Stage) -> Result:
        """What was written down; what was not is in the proofs, address by address."""
        proofs = judge(stage)
        words = "; ".join(f"{one.name}: {one.detail}" for one in proofs)
        is_begun = any(one.detail != "not sent" for one in proofs)
        return Result(StepState.DONE if is_begun else StepState.FAILED, words)


def _words(delivery: Delivery) -> str:
    said = {DELIVERED: "delivered", FAILED: "NOT delivered", UNKNOWN: "may have been delivered"}
    return f"{said.get(delivery.state, 'may have been delivered')} ({delivery.detail})"


async def _sent(stage: Stage, routing: Routing, parcel: Parcel) -> Delivery:
    """One parcel, from its intent to its end; a failure of one is no reason to leave the others."""
    fields = dict(stage.plan.parameters)
    draft = Delivery(
        key=parcel.key(stage.plan.site),
        at=stage.clock.now(),
        audience=parcel.audience,
        channel=parcel.channel,
        to=parcel.to,
        kind=parcel.kind,
        subject=parcel.subject,
        body=parcel.body,
        state=SENDING,
        detail="",
    )
    kept = notices(stage.settings)
    within_s = min(stage.settings.alerting.send_within_s, LONGEST_S) + STILL_S
    try:
        before = kept.begin(draft, is_again=bool(fields.get("only")), within_s=within_s)
    except CockpitError as error:
        return replace(draft, state=FAILED, detail=f"not sent, it could not be written down: {error}")
    if before is not None:
        state = DELIVERED if before.state == DELIVERED else UNKNOWN
        now = f"another one is sending it: look again in {within_s:.0f} s" if before.state == SENDING else ""
        return replace(before, state=state, detail=now or f"sent before and not again: {before.detail or before.state}")
    tried = await _tried(stage, routing, parcel, draft.key)
    ended = replace(draft, at=stage.clock.now(), state=STATES.get(tried.outcome, FAILED), detail=tried.detail)
    stage.output.write(f"{parcel.where}: {_words(ended)}\n".encode())
    try:
        kept.end(ended)
    except CockpitError as error:
        return replace(ended, detail=f"{ended.detail}; it could not be written down: {error}")
    return ended


async def _tried(stage: Stage, routing: Routing, parcel: Parcel, key: str) -> Try:
    part = stage.settings.alerting
    is_confined = stage.settings.world in CONFINED
    try:
        if parcel.channel == SLACK:
            if routing.slack is None:
                return Try(Outcome.REFUSED, "alerts.yaml names no webhook")
            url = await asyncio.wrap_future(in_daemon_thread(routing.slack.reveal))

            async def attempt(within_s: float) -> Try:
                return await slack.post(url, parcel.text, is_confined, within_s)
        else:
            route = routing.mail
            if route is None:
                return Try(Outcome.REFUSED, "alerts.yaml names no mail server")
            letter = mail.Mail(parcel.to, parcel.subject, parcel.body, key)

            async def attempt(within_s: float) -> Try:
                return await mail.send(route, letter, is_confined, within_s)

        within_s = min(part.send_within_s, LONGEST_S)
        return await deliver(attempt, part.attempt_s, within_s, lambda words: stage.tell(f"{parcel.where}: {words}"))
    except CockpitError as error:
        return Try(Outcome.REFUSED, str(error))
    except Exception as error:
        # A mistake of ours: what it left behind nobody knows.
        return Try(Outcome.UNKNOWN, f"{type(error).__name__}")
