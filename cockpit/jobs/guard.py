"""Whether a confirmation is enough for a plan: judged against the plan as it would be made at this moment."""

from __future__ import annotations

from collections.abc import Callable, Collection

from cockpit.model.approval import Consent, Look, Request
from cockpit.model.plan import Confirmation, Danger, Plan

SecondPerson = Callable[[Plan, Confirmation], str | None]
"""Why the plan may not go ahead for want of a second person; None where it may."""


def no_second(plan: Plan, confirmation: Confirmation) -> str | None:
    """Where nobody can have approved anything."""
    return "a second person must approve it" if plan.needs_second else None


def why_refused(plan: Plan, live: Plan, confirmation: Confirmation, second: SecondPerson = no_second) -> str | None:
    """The reason in one line; None where nothing stands against it.

    `live` is the same plan made from the newest snapshot: evidence ages while a human reads.
    """
    if confirmation.digest != plan.digest:
        return "what was confirmed is not this plan"
    if live.digest != plan.digest:
        return "the plan is no longer what would be done: look at it again"
    if live.phrase is not None and confirmation.typed != live.phrase:
        return f"the phrase must be typed exactly: {live.phrase}"
    has_reason = bool((confirmation.reason or "").strip())
    if live.needs_reason and not has_reason:
        return "a reason is needed"
    return _blocked(live, confirmation, has_reason) or second(live, confirmation)


def why_not_on(live: Plan, overrides: Collection[str]) -> str | None:
    """The first check that forbids it on this evidence; what was overridden, and may be, does not."""
    for check in live.blocking:
        if live.danger is Danger.OBSERVE and check.is_overridable:
            # Looking harms nobody: nobody is asked, hence nothing can be overridden.
            continue
        if check.name not in overrides:
            return f"{check.name}: {check.detail}"
        if not check.is_overridable:
            return f"{check.name} cannot be overridden: {check.detail}"
    return None


def why_not_approved(look: Look, request: Request, consent: Consent) -> str | None:
    """Why this yes is not enough, in one line: a check that would forbid the start forbids the approval too."""
    if look.request != request.id or look.plan is None or not look.may_approve:
        return f"not approved: {'; '.join(look.against) or 'it was not looked at'}"
    forbidding = look.forbidding(request, consent.overrides)
    if forbidding:
        check = forbidding[0]
        how = "" if check.is_overridable else ", and cannot be overridden"
        return f"not approved: on our own look it is refused{how}: {check.name}: {check.detail}"
    if consent.typed != look.phrase:
        return f"the phrase must be typed exactly: {look.phrase}"
    overridden = look.overridden(request, consent.overrides)
    if overridden and not consent.reason.strip():
        return f"overriding {overridden[0].name} needs a reason"
    return None


def _blocked(live: Plan, confirmation: Confirmation, has_reason: bool) -> str | None:
    refusal = why_not_on(live, confirmation.overrides)
    if refusal is not None or live.danger is Danger.OBSERVE:
        return refusal
    overridden = next(iter(live.blocking), None)
    if overridden is not None and not has_reason:
        return f"overriding {overridden.name} needs a reason"
    return None
