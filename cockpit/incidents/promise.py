"""The next update: when the others were told that they would hear again."""

from __future__ import annotations

from cockpit.clock import Clock
from cockpit.model.incident import Event, Incident
from cockpit.storage.incident_front import iso
from cockpit.storage.incidents import Incidents


def promise(incidents: Incidents, name: str, by: str, clock: Clock, minutes: float) -> Incident:
    """Promise one in so many minutes; none any more where that is 0.

    Raises:
        JournalError: it cannot be written.
    """
    now = clock.now()
    at = iso(now + minutes * 60) if minutes else None
    words = f"next update at {at}" if at else "no further update is promised"
    return incidents.set(name, {"next_update": at}, Event(now, "update", f"{words}, by {by}"))
