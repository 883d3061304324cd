"""The journal's lines at each turn of a job: pure, from what is known to what is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from actions.kill_switch.intent import Write
from cockpit.jobs.strike import Outcome
from cockpit.model.audit import Operator
from cockpit.model.plan import GLASS, Confirmation, Plan
from cockpit.storage.journal import Entry
from cockpit.text import clean


def submission(plan: Plan, confirmation: Confirmation, who: Operator, reason: str, now: float) -> tuple[Entry, ...]:
    """What was confirmed, by whom and why."""
    submitted = {
        "action": plan.action,
        "title": plan.title,
        "target": plan.target,
        "world": plan.world.value,
        "site": plan.site,
        "digest": plan.digest,
        "by": who.label,
        "who": asdict(who),
        "reason": clean(reason, 300),
        "steps": [step.meaning for step in plan.steps],
        "proofs": list(plan.proofs),
        "deadline_s": plan.proof_deadline_s,
        "is_cancellable": plan.is_cancellable,
        "usually_s": plan.usually_s,
    }
    confirmed = {
        "typed": confirmation.typed,
        "overrides": list(confirmation.overrides),
        "approval": confirmation.approval,
        "break_glass": confirmation.break_glass,
    }
    glass = glass_words(plan, confirmation, who)
    told = (note(now, glass),) if glass else ()
    return (Entry(now, "submitted", submitted), Entry(now, "confirmed", confirmed), *told)


def glass_words(plan: Plan, confirmation: Confirmation, who: Operator) -> str:
    """What must be said aloud where somebody acts alone against the rule of two persons; empty where not."""
    if not (plan.needs_second and confirmation.break_glass):
        return ""
    return (
        f"{GLASS}: done by {who.label} alone, without a second person: {clean(confirmation.reason or '', 120)}; "
        "somebody else must review it before the incident is closed"
    )


def intent(
    plan: Plan, confirmation: Confirmation, who: Operator, write: Write, where: str, now: float
) -> tuple[Entry, ...]:
    """All that must be known before the kill switch is written, so that it can be looked for after a crash.

    `where` is the Redis and the key, as a latch names them.
    """
    facts = {"step": 0, "command": plan.steps[0].command, "write": write.to_facts(), "where": where}
    return (
        *submission(plan, confirmation, who, confirmation.reason or write.reason, now),
        Entry(now, "step_started", facts),
    )


def note(now: float, text: str) -> Entry:
    """Something that must be said aloud."""
    return Entry(now, "note", {"text": clean(text, 400)})


def not_begun(now: float, error: str) -> tuple[Entry, ...]:
    """It was given up before anything was sent."""
    return (Entry(now, "step_failed", {"step": 0, "detail": error}), Entry(now, "failed", {"error": error}))


def outcome(now: float, found: Outcome, failures: Sequence[str], took_s: float) -> tuple[Entry, ...]:
    """What came of the act; where it is known to have failed, the job ends here."""
    facts = {"step": 0, "detail": found.detail, "took_s": round(took_s, 6), "redis_ms": found.redis_ms}
    if found.is_done:
        return (Entry(now, "step_done", facts),)
    notes = tuple(note(now, text) for text in failures)
    if not found.is_known:
        return (Entry(now, "step_unknown", facts), *notes)
    error = "; ".join(failures) or found.detail
    return (Entry(now, "step_failed", facts), *notes, Entry(now, "failed", {"error": error}))
