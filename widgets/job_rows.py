"""A job as its journal tells it: steps and proofs, each with its seconds."""

from __future__ import annotations

from cockpit.model.job import Job, JobStep, Phase, StepState
from themes.glyphs import Mark
from widgets.figures import age, short_age
from widgets.guard_rows import WIDEST, dialog, world_ink
from widgets.line import EMPTY, Line, both, line, wrapped

_STEPS = {
    StepState.WAITING: Mark("○", "waiting", "dim"),
    StepState.RUNNING: Mark("▶", "running", "accent"),
    StepState.DONE: Mark("●", "done", "ok"),
    StepState.FAILED: Mark("■", "FAILED", "crit"),
    StepState.UNKNOWN: Mark("?", "unknown", "unknown"),
}
_PHASES = {
    Phase.DONE: ("block_ok", "PROVEN"),
    Phase.FAILED: ("block_crit", "FAILED"),
    Phase.IN_DOUBT: ("block_unknown", "IN DOUBT"),
}


def job_rows(job: Job, now: float, room: tuple[int, int]) -> list[Line]:
    """The dialog of a running or ended job."""
    width = min(WIDEST, room[0])
    inner = width - 4
    body: list[Line] = []
    for step in job.steps:
        body.extend(_step(step, inner, "took"))
    if job.proofs:
        body.extend((EMPTY, line(("Proof", "label"))))
        for proof in job.proofs:
            body.extend(_step(proof, inner, "after"))
    body.append(EMPTY)
    if job.error:
        body.extend(line((each, "crit")) for each in wrapped(job.error, inner))
    body.append(_end(job, now, inner))
    title = line((job.world.value, "strong"), (" ── ", world_ink(job.world)), (job.title, "title"))
    return dialog(title, line((job.phase.value, "label")), body[: room[1] - 2], world_ink(job.world), width)


def _step(step: JobStep, width: int, preposition: str) -> list[Line]:
    mark = _STEPS[step.state]
    took = f"{preposition} {short_age(step.took_s)}" if step.took_s is not None else mark.word
    ink = "value" if step.state in (StepState.DONE, StepState.RUNNING) else mark.ink
    room = width - 2 - len(took) - 1
    first, *more = wrapped(step.name, room) or ("",)
    head = both(
        line((f"{mark.glyph} ", mark.ink), (first, ink)), line((took, "label" if step.took_s else mark.ink)), width
    )
    rows = [head, *(line("  ", (each, ink)) for each in more)]
    return [*rows, *(line("  ", (each, "label")) for each in wrapped(step.detail, width - 2))]


def _end(job: Job, now: float, width: int) -> Line:
    took = age((job.ended_at or now) - job.submitted_at)
    if not job.phase.is_over:
        return both(
            line((f"▶ {job.phase.value}, {took}", "accent")), line(("Esc: it goes on in the background", "dim")), width
        )
    ink, word = _PHASES[job.phase]
    return both(line((f" {word} ", ink), (f"  after {took}", "value")), line(("Enter closes", "dim")), width)
