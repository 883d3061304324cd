"""How much of the past an incident lost, as far as the steps that put something back have measured it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from cockpit.model.incident import Incident
from cockpit.model.job import Job, Phase

TAKEN_BACK = "pg_restore.swap_back"
"""After it the database is the one from before the restore."""


@dataclass(frozen=True, slots=True)
class Loss:
    """A measured loss, and by what."""

    minutes: float
    words: str


def measured(incident: Incident, jobs: Iterable[Job]) -> Loss | None:
    """The largest loss that a proven step of this incident shows; None where none put anything back.

    What reaches beyond the beginning of the trouble measures nothing: it may have gone on with a gap in it.
    """
    began = incident.from_at
    done = [job for job in jobs if job.phase is Phase.DONE and job.submitted_at >= began]
    undone = max((job.submitted_at for job in done if job.action == TAKEN_BACK), default=0.0)
    ends = [
        (job.recovered_to, job)
        for job in done
        if job.recovered_to is not None
        and job.recovered_to <= began
        and not (job.submitted_at < undone and job.action.startswith("pg_restore."))
    ]
    if not ends:
        return None
    end, job = min(ends, key=lambda one: one[0])
    # To the next tenth, upwards: less than was lost must not be promised.
    minutes = math.ceil((began - end) / 6) / 10
    return Loss(minutes, f"{job.title}: what it put back ends {_clock(end)}, the trouble began {_clock(began)}")


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S}Z"
