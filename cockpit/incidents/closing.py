"""What closing an incident asks for: a report that somebody who was not there can understand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cockpit.clock import Clock
from cockpit.errors import Rejected
from cockpit.incidents.metrics import outstanding
from cockpit.model.incident import Event, Incident
from cockpit.storage.incident_front import changed, iso
from cockpit.storage.incident_text import CLOSED, facts, section_text
from cockpit.storage.incidents import Incidents
from cockpit.storage.merge import CONFLICT, conflict_line, has_conflict
from cockpit.text import clean

NO_CAUSE = "the cause is not given"


@dataclass(frozen=True, slots=True)
class Lack:
    """One thing that stands against closing it, and how to mend that."""

    what: str
    how: str
    is_waivable: bool = True
    """Whether it may be closed all the same, with a reason."""


def lacks(incident: Incident, text: str) -> tuple[Lack, ...]:
    """What is missing before it may be closed."""
    found = []
    if incident.problem:
        found.append(Lack(incident.problem, "mend it in an editor", is_waivable=False))
    if incident.break_glass and not incident.reviewed_by:
        who = ", ".join(incident.break_glass)
        found.append(
            Lack(f"nobody but {who} has reviewed it", "cockpit incident review, as another user", is_waivable=False)
        )
    if has_conflict(text):
        where = f"two changes of the same lines stand in it, from line {conflict_line(text)} of the file on"
        found.append(Lack(where, f"keep what is right, delete the lines that begin with {CONFLICT}"))
    found += [Lack(f"the {name} is empty", f"write it below `## {name}`") for name in _empty(text)]
    if not incident.cause:
        found.append(Lack(NO_CAUSE, "--cause, or the field in the dialog"))
    if len(incident.severity_history) > 1 and any(not change.reason for change in incident.severity_history):
        found.append(Lack("a change of severity has no reason", "write it into severity_history"))
    standing = [entry.text for entry in outstanding(incident.timeline).values()]
    if standing:
        found.append(Lack(f"it is not over: {standing[0]}", "wait until it has cleared"))
    return tuple(found)


def _empty(text: str) -> list[str]:
    return [name for name in ("Summary", "Impact") if not section_text(text, name)]


def close(
    incidents: Incidents,
    name: str,
    by: str,
    clock: Clock,
    values: Mapping[str, Any],
    waived: str = "",
    lost_minutes: float | None = None,
) -> Incident:
    """Close it.

    `values` are what was given with it (cause, rpo_minutes, rpo_rows); `waived` is the reason to close it although
    something is missing. `lost_minutes` was measured: it is written only as it is closed, for until then it may grow,
    and where nobody has said what was lost.

    Raises:
        Rejected: something is missing, or it is closed already.
        JournalError: it cannot be written.
    """
    incident = incidents.find(name)
    if not incident.is_open:
        raise Rejected(f"{incident.id} is closed already")
    text = incidents.text(incident.id)
    if values:
        # Not written yet: what is refused changes nothing.
        text = changed(text, values)
        incident = facts(incident.id, text)
    found = lacks(incident, text)
    forbidding = [lack for lack in found if not (waived and lack.is_waivable)]
    if forbidding:
        raise Rejected("not closed, still open: " + "; ".join(f"{lack.what} ({lack.how})" for lack in forbidding))
    now = clock.now()
    words = f"by {by}: {incident.cause or 'cause unknown'}"
    if found:
        words += f"; closed although {', '.join(lack.what for lack in found)}: {waived}"
    ended = {**values, "closed": iso(now), "closed_by": by}
    event = Event(now, "closed", clean(words, 1000), CLOSED)
    return incidents.revise(incident.id, lambda present: {**_last(present, lost_minutes), **ended}, event)


def _last(present: Incident, lost_minutes: float | None) -> Mapping[str, Any]:
    """What was lost, by what stands there as it is written.

    Raises:
        Rejected: somebody else has closed it since the look, or acted alone.
    """
    if not present.is_open:
        raise Rejected(f"{present.id} is closed already")
    if present.break_glass and not present.reviewed_by:
        raise Rejected(f"not closed: {', '.join(present.break_glass)} acted alone meanwhile, and nobody reviewed it")
    return {} if lost_minutes is None or present.rpo_minutes is not None else {"rpo_minutes": lost_minutes}


def review(incidents: Incidents, name: str, by: str, clock: Clock, words: str) -> Incident:
    """Say that one has looked at what was done alone.

    Raises:
        Rejected: it was oneself who did it.
        JournalError: it cannot be written.
    """

    def reviewed(found: Incident) -> Mapping[str, Any]:
        if by.partition("@")[0] in {who.partition("@")[0] for who in found.break_glass}:
            raise Rejected("one's own break-glass is reviewed by somebody else")
        return {"reviewed_by": by}

    event = Event(clock.now(), "review", f"by {by}: {words}")
    return incidents.revise(incidents.find(name).id, reviewed, event)
