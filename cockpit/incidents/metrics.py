"""How quickly it was noticed, answered and over, computed from the file alone."""

from __future__ import annotations

from dataclasses import dataclass

from cockpit.model.incident import Incident, TimelineEntry

BY_PEOPLE = ("action", "note", "severity", "role", "update")
FINDING = "finding/"
CLEARED = "cleared"


@dataclass(frozen=True, slots=True)
class Metrics:
    """Seconds from the beginning of the trouble; None where it is not known, or not yet."""

    acknowledged_s: float | None
    """Until somebody answered: the incident opened, or the first step, note or decision (MTTA)."""
    recovered_s: float | None
    """Until the last finding had cleared (MTTR); until it was closed, where there was none."""
    running_s: float
    """Until it was recovered or closed, or until now."""
    target_s: float | None
    """The time within which it had to be over (RTO)."""
    lost_minutes: float | None
    """How much of the past was lost (RPO)."""
    lost_rows: int | None

    @property
    def is_within(self) -> bool | None:
        """Whether it was over in time; None while that is open, or where there is no target."""
        if self.target_s is None:
            return None
        if self.running_s > self.target_s:
            return False
        return True if self.recovered_s is not None else None


def metrics(incident: Incident, now: float) -> Metrics:
    """What the file says."""
    began = incident.from_at
    answered = [entry.at for entry in incident.timeline if entry.kind in BY_PEOPLE and entry.at >= began]
    recovered = recovered_at(incident)
    end = recovered if recovered is not None else incident.closed_at if incident.closed_at is not None else now
    return Metrics(
        acknowledged_s=max(0.0, min([incident.opened_at, *answered]) - began),
        recovered_s=None if recovered is None else max(0.0, recovered - began),
        running_s=max(0.0, end - began),
        target_s=None if incident.rto_minutes is None else incident.rto_minutes * 60,
        lost_minutes=incident.rpo_minutes,
        lost_rows=incident.rpo_rows,
    )


def recovered_at(incident: Incident) -> float | None:
    """When nothing was wrong any more, and stayed so; what somebody wrote into the front matter counts before that."""
    if incident.recovered_at is not None:
        return incident.recovered_at
    standing = outstanding(incident.timeline)
    cleared = [entry.at for entry in incident.timeline if _about(entry) and entry.key.endswith(f"/{CLEARED}")]
    if standing:
        return None
    return max(cleared) if cleared else incident.closed_at


def outstanding(timeline: tuple[TimelineEntry, ...]) -> dict[str, TimelineEntry]:
    """The findings that stand by the timeline: what they are about -> the entry that says so."""
    found: dict[str, TimelineEntry] = {}
    for entry in sorted(timeline, key=lambda entry: entry.at):
        about = _about(entry)
        if about and entry.key.endswith(f"/{CLEARED}"):
            found.pop(about, None)
        elif about:
            found[about] = entry
    return found


def _about(entry: TimelineEntry) -> str:
    """The key without its last word; empty where it is no finding's."""
    return entry.key.rpartition("/")[0] if entry.key.startswith(FINDING) else ""
