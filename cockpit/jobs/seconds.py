"""The second person, as the cockpit of who asks and of who answers needs one: requests, answers, and their audit."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from cockpit.clock import Clock
from cockpit.config import Settings
from cockpit.errors import CockpitError, Rejected
from cockpit.jobs.guard import why_not_approved
from cockpit.jobs.journaling import glass_words
from cockpit.jobs.minutes import Minutes
from cockpit.model.approval import Consent, Look, Request, Second, Standing
from cockpit.model.audit import AuditRecord, Operator
from cockpit.model.danger import Danger
from cockpit.model.incident import Event, Incident
from cockpit.model.plan import Confirmation, Plan
from cockpit.storage.approvals import Approvals
from cockpit.storage.audit import AuditLog
from cockpit.storage.incidents import Incidents
from cockpit.text import clean

FOLDER = "approvals"
READ_S = 1.0
SPENT = "approval_spent"
NEEDED = "a second person must approve it: another login user of this host runs `cockpit approve`"


def needs_second(settings: Settings, plan: Plan) -> bool:
    """Whether somebody else must approve such a plan in this world: by its class, or because its row asks for it."""
    is_meant = plan.danger is Danger.DANGER or plan.needs_second
    return is_meant and settings.world in settings.approvals.required_in


def with_second(settings: Settings, plan: Plan) -> Plan:
    """The plan with what this world asks for; what somebody else must approve is no matter of a single key."""
    is_needed = needs_second(settings, plan)
    return replace(plan, needs_second=is_needed, phrase=plan.phrase or (plan.target if is_needed else None))


def approvals_in(settings: Settings, state: Path) -> Approvals:
    """The requests and answers of this site."""
    return Approvals(state / FOLDER, settings.approvals.lapse_s)


def admit(
    settings: Settings,
    state: Path,
    plan: Plan,
    confirmed: Mapping[str, Any],
    job_id: str,
    now: float,
    who: Operator,
) -> str:
    """For the worker: take the approval for this job right before the act; who approved it, empty where nobody had to.

    Raises:
        Rejected: there is none that counts.
        JournalError: it cannot be marked as used.
    """
    if not needs_second(settings, plan) or confirmed.get("break_glass") is True:
        return ""
    if not isinstance(confirmed.get("approval"), str):
        raise Rejected(NEEDED)
    act = Confirmation(
        plan.digest,
        reason=str(confirmed.get("reason") or ""),
        overrides=tuple(map(str, confirmed.get("overrides", ()))),
        approval=confirmed["approval"],
    )
    return _used(settings, state, plan, act, job_id, now, who).by or ""


def _used(
    settings: Settings, state: Path, plan: Plan, act: Confirmation, job_id: str, now: float, who: Operator
) -> Second:
    """Use the approval up, in the audit too: who acts owns the file that says so, and can take it away."""
    second = approvals_in(settings, state).use(plan, act, job_id, now)
    log, said = AuditLog(state), f"job {job_id}"
    if log.first(SPENT, second.id) is None:
        log.append(AuditRecord(round(now, 6), who, SPENT, plan.world.value, plan.site, second.id, said, "", ""))
    # Of two that get here at once, one is first in the journal.
    first = log.first(SPENT, second.id)
    if first is None or first.text != said:
        raise Rejected("the approval was used by another job: it counts once")
    return second


class Seconds:
    """One operator's requests to others, and answers to theirs."""

    def __init__(self, settings: Settings, state: Path, clock: Clock, who: Operator, minutes: Minutes) -> None:
        self._settings = settings
        self._state = state
        self._clock = clock
        self._who = who
        self._minutes = minutes
        self._approvals = approvals_in(settings, state)
        self._incidents = Incidents(settings.incidents_folder, who.label, clock)
        self._told: set[tuple[str, Standing]] = set()
        self._read_at = float("-inf")
        self.present: tuple[Request, ...] = ()
        """What others ask for, as last read; never waits for a disk."""

    def why_nobody_can(self) -> str | None:
        """Why no second person could approve anything here; None where one can."""
        return self._approvals.why_not_shared()

    def ask(self, plan: Plan, reason: str, overrides: Sequence[str] = ()) -> Request:
        """Ask for a second person.

        Raises:
            Rejected: nobody could answer.
            JournalError: the request cannot be written.
        """
        why = self.why_nobody_can()
        if why is not None:
            raise Rejected(f"nobody else can approve it: {why}")
        request = self._approvals.ask(plan, self._who, reason, self._clock.now(), overrides)
        self._minutes.write(
            "approval_requested", f"{plan.title}, {request.words}; {_named(request, plan.title)}", plan.digest
        )
        return request

    def standing(self, request_id: str) -> Second:
        """How the request of ours stands; what became of it is in the audit once."""
        found = self._approvals.standing(request_id, self._clock.now())
        if found.standing is not Standing.WAITING and (request_id, found.standing) not in self._told:
            self._told.add((request_id, found.standing))
            self._minutes.write(f"approval_{found.standing.value}", f"{found.words}; request {found.name}", request_id)
            with suppress(CockpitError):  # the audit has it
                said = Event(self._clock.now(), "approval", clean(found.words, 300), f"approval/{request_id}")
                self._incidents.record(said)
        return found

    def withdraw(self, request_id: str) -> None:
        """Ask no more."""
        self._approvals.withdraw(request_id)
        self._told.add((request_id, Standing.GONE))
        self._minutes.write("approval_withdrawn", f"request {request_id[:8]}", request_id)

    def read(self) -> None:
        """Look once a second what others ask for; it may hang with the disk, so only one thread looks."""
        now = self._clock.monotonic()
        if now - self._read_at >= READ_S:
            self._read_at = now
            self.present = self.waiting()

    def waiting(self) -> tuple[Request, ...]:
        """What others ask for."""
        return tuple(one for one in self._approvals.waiting(self._clock.now()) if one.uid != os.geteuid())

    def find(self, prefix: str) -> Request:
        """The request whose id begins so.

        Raises:
            Rejected: there is none, or more than one.
        """
        return self._approvals.find(prefix, self._clock.now())

    def approve(self, request: Request, look: Look, consent: Consent) -> None:
        """Say yes to it, on our own look at it.

        Raises:
            Rejected: our own cockpit would do something else or refuse it, the phrase is not that of its plan, there
                is no reason to override what fails, it is one's own request, or it waits no longer.
            JournalError: the approval cannot be written.
        """
        why = why_not_approved(look, request, consent)
        if why is not None or look.plan is None:
            raise Rejected(why or "not approved: it was not looked at")
        request = self.find(request.id)
        over = look.overridden(request, consent.overrides)
        reason = consent.reason if over else ""
        self._approvals.approve(request, self._clock.now(), [check.name for check in over], reason)
        failed = "".join(f"; overriding {check.name}: {check.detail}" for check in over)
        because = f"; because: {reason}" if reason else ""
        words = _named(request, look.plan.title, failed + because)
        self._minutes.write("approval_given", words, request.plan.digest)

    def refuse(self, request: Request, reason: str) -> None:
        """Say no to it.

        Raises:
            Rejected: it waits no longer.
            JournalError: the refusal cannot be written.
        """
        request = self.find(request.id)
        self._approvals.refuse(request, reason)
        words = f"because: {reason}; {_named(request, request.plan.action)}"
        self._minutes.write("approval_refused", words, request.plan.digest)

    def why_not(self, plan: Plan, confirmation: Confirmation) -> str | None:
        """Why the plan may not go ahead for want of a second person; None where it may."""
        if not plan.needs_second:
            return None
        if confirmation.break_glass:
            return None if (confirmation.reason or "").strip() else "breaking the glass needs a reason"
        if confirmation.approval is None:
            return NEEDED
        return self._approvals.why_not(plan, confirmation, self._clock.now())

    def take(self, plan: Plan, confirmation: Confirmation, job_id: str) -> None:
        """For an act that the cockpit does itself: use the approval for it.

        Raises:
            Rejected: there is none that counts.
            JournalError: it cannot be marked as used.
        """
        if plan.needs_second and not confirmation.break_glass and confirmation.approval is not None:
            _used(self._settings, self._state, plan, confirmation, job_id, self._clock.now(), self._who)

    def tell_glass(self, plan: Plan, confirmation: Confirmation, job_id: str) -> None:
        """Have it in the audit, loudly, where somebody acts alone against the rule."""
        words = glass_words(plan, confirmation, self._who)
        if words:
            self._minutes.write("break_glass", f"{plan.title}: {words}", job_id)
            try:
                self._demand_review(f"{plan.title}: {words}", job_id)
            except CockpitError as error:
                self._minutes.write("break_glass", f"the incident could not be told: {error}", job_id)

    def _demand_review(self, words: str, job_id: str) -> None:
        """The open incident cannot be closed before somebody else has reviewed this, also where another act was."""
        found = self._incidents.open_one()
        if found is not None:
            event = Event(self._clock.now(), "break_glass", clean(words, 600), f"job/{job_id}/glass")
            alone = self._who.label

            def values(now: Incident) -> dict[str, Any]:
                return {"break_glass": sorted({*now.break_glass, alone}), "reviewed_by": ""}

            self._incidents.revise(found.id, values, event)


def _named(request: Request, title: str, more: str = "") -> str:
    commands = "; ".join(step.command for step in request.plan.steps)
    return f"request {request.name} by {request.by}: {title}{more}; plan {request.plan.digest}: {commands}"
