"""How far a running job is, and how long it will still take, as far as anybody can tell."""

from __future__ import annotations

from cockpit.model.job import Job, JobStep, StepState
from widgets.bars import bar
from widgets.figures import age, percent
from widgets.line import Line, line

LEAST_FRACTION = 0.05
"""Too little has been done before to draw a line through it."""
BAR = 30


def left_s(job: Job, now: float) -> float | None:
    """Seconds that are left; None where nobody can tell, negative where it takes longer than usual.

    >>> from cockpit.model.job import Phase; from cockpit.model.world import World
    >>> job = Job("1", "a", "A", "t", World.PAPER, "", "", Phase.RUNNING, 100.0, usually_s=8.0)
    >>> left_s(job, 103.0), left_s(job, 109.0)
    (5.0, -1.0)
    """
    passed_s = max(0.0, now - job.submitted_at)
    running = [step for step in job.steps if step.state is StepState.RUNNING]
    fraction = running[0].fraction if len(running) == 1 else None
    is_first = bool(running) and job.steps[0] is running[0]
    if fraction is not None and is_first and fraction >= LEAST_FRACTION:
        # Nothing but this step has taken time so far; what the proof takes comes on top.
        return passed_s * (1 - fraction) / fraction
    return None if job.usually_s is None else job.usually_s - passed_s


def left_words(job: Job, now: float) -> str:
    """The same in words; empty where nobody can tell."""
    left = left_s(job, now)
    if left is None:
        return ""
    if left < 0:
        return f"longer than the usual {age(job.usually_s)}"
    return f"about {age(max(1.0, left))} left"


def fraction_line(step: JobStep, width: int) -> Line:
    """A bar and its figure; nothing where nobody knows how much there is."""
    if step.fraction is None or step.state is not StepState.RUNNING:
        return ()
    done = min(1.0, max(0.0, step.fraction))
    size = min(BAR, max(4, width - 10))
    return line(*bar(done, size, hot=2.0, full=2.0), (f" {percent(done)}", "value"))
