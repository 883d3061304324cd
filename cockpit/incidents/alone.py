"""Who acted alone, against the rule of two persons, before the incident was there that this belongs to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cockpit.incidents.sightings import BEFORE_S
from cockpit.model.incident import Event, Incident
from cockpit.model.job import Job
from cockpit.model.plan import GLASS
from cockpit.storage.incidents import Incidents


def take_over(incidents: Incidents, incident: Incident, jobs: Iterable[Job], after: float, now: float) -> bool:
    """Have those reviewed before it is closed; whether there were any that the incident did not name yet.

    `after` is when the incident before it was closed.

    Raises:
        JournalError: it cannot be written.
    """
    since = max(after, incident.from_at - BEFORE_S)
    found = [
        job for job in jobs if job.submitted_at >= since and any(note.startswith(f"{GLASS}:") for note in job.notes)
    ]
    names = sorted({job.by for job in found} - set(incident.break_glass))
    if not names:
        return False
    jobs_of = "; ".join(job.title for job in found if job.by in names)
    words = f"done alone by {', '.join(names)} before it was opened: {jobs_of}; somebody else must review it"

    def values(known: Incident) -> dict[str, Any]:
        return {"break_glass": sorted({*known.break_glass, *names}), "reviewed_by": ""}

    incidents.revise(incident.id, values, Event(now, "break_glass", words, f"job/{found[0].id}/glass"))
    return True
