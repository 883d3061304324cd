"""A plan and a job as lines of text, for whoever has no screen."""

from __future__ import annotations

from collections.abc import Iterator

from cockpit.model.job import Job, JobStep, Phase, StepState
from cockpit.model.plan import Check, Plan, Verdict

VERDICTS = {Verdict.PASS: "ok", Verdict.WARN: "WARN", Verdict.FAIL: "FAIL", Verdict.UNKNOWN: "UNKNOWN"}
STATES = {
    StepState.WAITING: "waiting",
    StepState.RUNNING: "running",
    StepState.DONE: "done",
    StepState.FAILED: "FAILED",
    StepState.UNKNOWN: "UNKNOWN",
}
ENDS = {Phase.DONE: "PROVEN", Phase.FAILED: "FAILED", Phase.IN_DOUBT: "IN DOUBT", Phase.CANCELLED: "CANCELLED"}


def plan_lines(plan: Plan) -> Iterator[str]:
    """Everything that a guard dialog shows."""
    yield f"{plan.world} {plan.site}: {plan.title} ({plan.danger})"
    yield plan.sentence
    for step in plan.steps:
        yield f"  will do   {step.command}"
        if step.by_hand:
            yield f"  by hand   {step.by_hand}"
    yield from _block("checks", [_check(check) for check in plan.checks])
    yield from _block("impact", list(plan.impact))
    yield from _block("proof", [*plan.proofs, f"all within {plan.proof_deadline_s:.0f} s"])
    yield f"  undo      {plan.undo}"
    if plan.usually:
        yield f"  usually   {plan.usually}"
    yield f"  plan      {plan.digest}"


def _block(name: str, lines: list[str]) -> Iterator[str]:
    for index, line in enumerate(lines):
        yield f"  {name if index == 0 else '':<9} {line}"


def _check(check: Check) -> str:
    age = "" if check.evidence_age_s is None else f"  ({check.evidence_age_s:.1f} s old)"
    return f"{VERDICTS[check.verdict]:<7} {check.name}: {check.detail}{age}"


def step_line(step: JobStep) -> str:
    """One step or proof as it stands.

    >>> step_line(JobStep("key reads back", StepState.DONE, "enabled true", 0.61))
    '  done    key reads back, after 0.61 s: enabled true'
    >>> step_line(JobStep("replayed", StepState.RUNNING, "30,000 of 120,000 events verified", fraction=0.25))
    '  running replayed, 25 %: 30,000 of 120,000 events verified'
    """
    took = "" if step.took_s is None else f", after {step.took_s:.3g} s"
    took += "" if step.fraction is None else f", {step.fraction:.0%}".replace("%", " %")
    detail = f": {step.detail}" if step.detail else ""
    return f"  {STATES[step.state]:<7} {step.name}{took}{detail}"


def end_line(job: Job) -> str:
    """How it ended."""
    return f"{end_word(job)}{f': {job.error}' if job.error else ''} (job {job.id})"


def end_word(job: Job) -> str:
    """How it ended, or where it stands; somebody's word is never called a proof."""
    if job.resolved_by is not None:
        return f"BY WORD: {'DONE' if job.phase is Phase.DONE else 'NOT DONE'}"
    return ENDS.get(job.phase, job.phase.upper())
