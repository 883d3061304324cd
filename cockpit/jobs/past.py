"""What the jobs of the past say about the next one."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

from cockpit.model.job import Job, Phase
from cockpit.model.plan import Plan


def usual_time(jobs: Iterable[Job], plan: Plan) -> tuple[float | None, str | None]:
    """How long the last ones on this target took, confirmed to proven: the median, in seconds and in words."""
    took = [
        job.ended_at - job.submitted_at
        for job in jobs
        if (job.action, job.target, job.phase) == (plan.action, plan.target, Phase.DONE)
        and job.ended_at is not None
        and job.resolved_by is None
    ]
    if not took:
        return None, None
    middle_s = round(median(took), 3)
    return middle_s, f"proven in {middle_s:.0f} s ({len(took)} run{'' if len(took) == 1 else 's'})"
