"""From a journal to a job: a pure fold, so that every cockpit and every restart sees the same job."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any

from cockpit.errors import NOT_OURS
from cockpit.model.job import Job, JobStep, Phase, StepState
from cockpit.model.world import World
from cockpit.storage.journal import Entry
from cockpit.text import clean

ENDS = {"done": Phase.DONE, "failed": Phase.FAILED, "in_doubt": Phase.IN_DOUBT, "cancelled": Phase.CANCELLED}
"""The entries that end a job."""
RESOLVED = "resolved"
"""Somebody's word about a job in doubt."""
KINDS = {phase: kind for kind, phase in ENDS.items()}
MOST_CHARACTERS = 2000
_STEP_STATES = {
    "step_started": StepState.RUNNING,
    "step_progress": StepState.RUNNING,
    "step_done": StepState.DONE,
    "step_failed": StepState.FAILED,
    "step_unknown": StepState.UNKNOWN,
}


def fold(job_id: str, entries: Sequence[Entry], is_held: bool) -> Job | None:
    """What became of the job; None where not even its submission is written.

    `is_held` tells whether a living process still works on it: without one, an unfinished job is in doubt.
    """
    if not entries:
        return None
    try:
        # Somebody else may have written them: nothing of it reaches a screen or a terminal as it is.
        entries = [replace(entry, facts=_cleaned(entry.facts)) for entry in entries]
        job = reduce(_apply, entries[1:], _submitted(job_id, entries[0]))
    except NOT_OURS:
        # A journal written by something else, or damaged: it is shown as what it is.
        title = clean(entries[0].facts.get("title", "unreadable job"), MOST_CHARACTERS)
        return unreadable(job_id, entries[0].at, "its journal cannot be understood by this version", title)
    if job.resolved_by is not None and job.ended_at is None:
        job = replace(job, ended_at=entries[-1].at)
    return job if is_held or job.phase.is_over else _abandoned(job, entries[-1].at)


def _cleaned(value: Any) -> Any:
    """The same facts, every text in them fit to be shown.

    >>> _cleaned({"title": "x\x1b[2J", "steps": ["a\x07"], "step": 0})
    {'title': 'x␛[2J', 'steps': ['a␇'], 'step': 0}
    """
    if isinstance(value, str):
        return clean(value, MOST_CHARACTERS)
    if isinstance(value, Mapping):
        return {clean(name): _cleaned(each) for name, each in value.items()}
    return [_cleaned(each) for each in value] if isinstance(value, list | tuple) else value


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _submitted(job_id: str, entry: Entry) -> Job:
    if entry.kind != "submitted":
        raise ValueError
    facts = entry.facts
    return Job(
        id=job_id,
        action=facts["action"],
        title=facts["title"],
        target=facts["target"],
        world=World(facts["world"]),
        digest=facts["digest"],
        by=facts["by"],
        phase=Phase.QUEUED,
        submitted_at=entry.at,
        steps=tuple(JobStep(name) for name in facts["steps"]),
        proofs=tuple(JobStep(name) for name in facts["proofs"]),
        reason=facts.get("reason"),
        is_cancellable=facts.get("is_cancellable") is True,
        usually_s=_number(facts.get("usually_s")),
    )


def _apply(job: Job, entry: Entry) -> Job:
    facts: dict[str, Any] = dict(entry.facts)
    if entry.kind in _STEP_STATES:
        phase = Phase.RUNNING if job.phase is Phase.QUEUED else job.phase
        steps = _with(job.steps, facts["step"], _STEP_STATES[entry.kind], facts)
        return replace(job, phase=phase, steps=steps, recovered_to=_recovered_to(facts, job.recovered_to))
    if entry.kind == "proof":
        return replace(job, proofs=_with(job.proofs, facts["proof"], StepState(facts["state"]), facts))
    if entry.kind == "confirmed":
        named = facts.get("overrides")
        return replace(job, overrides=tuple(map(str, named)) if isinstance(named, list | tuple) else ())
    if entry.kind == "verifying":
        return replace(job, phase=Phase.VERIFYING)
    if entry.kind == "note":
        return replace(job, notes=(*job.notes, facts["text"]))
    if entry.kind == "cancel":
        return replace(job, cancelled_by=facts["by"])
    if entry.kind == RESOLVED:
        return _resolved(job, facts)
    if entry.kind in ENDS:
        return replace(job, phase=ENDS[entry.kind], ended_at=entry.at, error=facts.get("error"))
    return job


def _recovered_to(facts: Mapping[str, Any], known: float | None) -> float | None:
    """What a step noted before or after it of where the past ends that it puts back."""
    for name in ("before", "facts"):
        noted = facts.get(name)
        if isinstance(noted, Mapping) and "recovered_to" in noted:
            known = _number(noted["recovered_to"])
    return known


def _resolved(job: Job, facts: dict[str, Any]) -> Job:
    """Not proven by anything that was seen: what it was in doubt for stays beside the word."""
    word = "done" if facts["is_done"] else "not done"
    error = f"{word} by the word of {facts['by']}, not proven: {facts['reason']}"
    doubt = f" (in doubt because: {job.error})" if job.error else ""
    phase = Phase.DONE if facts["is_done"] else Phase.FAILED
    return replace(job, phase=phase, error=error + doubt, resolved_by=facts["by"])


def _with(steps: tuple[JobStep, ...], index: int, state: StepState, facts: dict[str, Any]) -> tuple[JobStep, ...]:
    step = steps[index]
    fraction = _number(facts.get("fraction")) if state is StepState.RUNNING else None
    took_s = _number(facts.get("took_s", step.took_s))
    changed = JobStep(step.name, state, str(facts.get("detail", step.detail)), took_s, fraction)
    return (*steps[:index], changed, *steps[index + 1 :])


def _abandoned(job: Job, at: float) -> Job:
    """Nobody works on it any more and nobody wrote how it ended."""
    doubtful = [step.name for step in job.steps if step.state in (StepState.RUNNING, StepState.UNKNOWN)]
    if doubtful:
        error = f"the cockpit ended before it could write whether this was done: {', '.join(doubtful)}"
    elif any(step.state is StepState.DONE for step in job.steps):
        error = "done, but whoever proved it ended before the proof"
    else:
        error = "the cockpit ended before it did anything"
    return replace(job, phase=Phase.IN_DOUBT, ended_at=at, error=error)


def unreadable(job_id: str, at: float, error: str, title: str = "unreadable job") -> Job:
    """What stands in the place of a job that nobody can read: it may have done anything."""
    return Job(
        id=job_id,
        action="",
        title=title,
        target="",
        world=World.LIVE,
        digest="",
        by="",
        phase=Phase.IN_DOUBT,
        submitted_at=at,
        ended_at=at,
        error=error,
    )


def performed(entries: Iterable[Entry]) -> Entry | None:
    """The last word on the first step: its result, else its start, else None."""
    return next((entry for entry in reversed(tuple(entries)) if entry.kind in _STEP_STATES), None)
