"""A job as its journal tells it: steps and proofs, each with its seconds."""

from __future__ import annotations

from cockpit.model.job import Job, JobStep, Phase, StepState
from themes.glyphs import Mark
from widgets.figures import age, short_age
from widgets.guard_rows import WIDEST, dialog, scrolled, world_ink
from widgets.line import EMPTY, Line, both, line, wrapped
from widgets.progress import fraction_line, left_words

_STEPS = {
    StepState.WAITING: Mark("○", "waiting", "dim"),
    StepState.RUNNING: Mark("▶", "running", "accent"),
    StepState.DONE: Mark("●", "done", "ok"),
    StepState.FAILED: Mark("■", "FAILED", "crit"),
    StepState.UNKNOWN: Mark("?", "unknown", "unknown"),
}
_PHASES = {
    Phase.QUEUED: Mark("▶", "queued", "accent"),
    Phase.RUNNING: Mark("▶", "running", "accent"),
    Phase.VERIFYING: Mark("▶", "verifying", "accent"),
    Phase.DONE: Mark("●", "proven", "ok"),
    Phase.FAILED: Mark("■", "FAILED", "crit"),
    Phase.IN_DOUBT: Mark("?", "IN DOUBT", "unknown"),
    Phase.CANCELLED: Mark("◇", "cancelled", "warn"),
}
_BY_WORD = {
    Phase.DONE: Mark("●", "done, by word", "warn"),
    Phase.FAILED: Mark("■", "not done, by word", "warn"),
}
_NOT_REACHED = Mark("○", "not reached", "dim")
"""Of a job that has come to its end nothing waits any more."""
_BLOCKS = {"ok": "block_ok", "crit": "block_crit", "unknown": "block_unknown", "warn": "block_warn"}


def job_rows(job: Job, now: float, room: tuple[int, int], scroll: int = 0) -> list[Line]:
    """The dialog of a running or ended job; where it stands is always there, the rest can be scrolled to."""
    width = min(WIDEST, room[0])
    inner = width - 4
    body = progress_rows(job, inner)
    foot = [EMPTY, _end(job, now, inner)]
    body = scrolled(body, room[1] - 2 - len(foot), scroll)
    title = line((job.world.value, "strong"), (" ── ", world_ink(job.world)), (job.title, "title"))
    return dialog(title, line((phase_mark(job).word, "label")), [*body, *foot], world_ink(job.world), width)


def progress_rows(job: Job, width: int) -> list[Line]:
    """What must be said aloud, then each step and each proof as it stands."""
    body = _aloud(job, width)
    for step in job.steps:
        body.extend(_step(step, width, "took", job.phase.is_over))
    if job.proofs:
        body.extend((EMPTY, line(("Proof", "label"))))
        for proof in job.proofs:
            body.extend(_step(proof, width, "after", job.phase.is_over))
    return body


def phase_mark(job: Job) -> Mark:
    """How a job's phase looks in a list; somebody's word is never drawn as a proof."""
    return _PHASES[job.phase] if job.resolved_by is None else _BY_WORD[job.phase]


def _aloud(job: Job, width: int) -> list[Line]:
    """First of all, for it has to be acted on: that no halt is known to stand, and what else stops trading."""
    error = job.error or ""
    said = [note for note in job.notes if note not in error] + [error] * bool(error)
    rows = [line((each, "crit")) for text in said for each in wrapped(text, width)]
    return [*rows, EMPTY] if rows else []


def _step(step: JobStep, width: int, preposition: str, is_over: bool) -> list[Line]:
    mark = _NOT_REACHED if is_over and step.state is StepState.WAITING else _STEPS[step.state]
    took = f"{preposition} {short_age(step.took_s)}" if step.took_s is not None else mark.word
    ink = "value" if step.state in (StepState.DONE, StepState.RUNNING) else mark.ink
    room = width - 2 - len(took) - 1
    first, *more = wrapped(step.name, room) or ("",)
    head = both(
        line((f"{mark.glyph} ", mark.ink), (first, ink)), line((took, "label" if step.took_s else mark.ink)), width
    )
    rows = [head, *(line("  ", (each, ink)) for each in more)]
    done = fraction_line(step, width - 2)
    rows += [(("  ", "text"), *done)] if done else []
    return [*rows, *(line("  ", (each, "label")) for each in wrapped(step.detail, width - 2))]


def _end(job: Job, now: float, width: int) -> Line:
    took = age((job.ended_at or now) - job.submitted_at)
    mark = phase_mark(job)
    if not job.phase.is_over:
        left = left_words(job, now)
        stopping = f", {job.cancelled_by} asks it to stop" if job.cancelled_by else ""
        head = line((f"{mark.glyph} {mark.word}, {took}{stopping}", mark.ink), (f"  {left}" if left else "", "label"))
        go_on = "Esc closes" if stopping else "Esc: it goes on in the background"
        return both(head, line((go_on, "dim")), width)
    ended = line((f" {mark.word.upper()} ", _BLOCKS[mark.ink]), (f"  after {took}", "value"))
    return both(ended, line(("Enter closes", "dim")), width)
