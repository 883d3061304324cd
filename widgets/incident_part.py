"""The open incident in the top line: how bad, and its clock against the time within which it has to be over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from widgets.figures import short_age, whole_minutes
from widgets.line import Line, cut_text, line, width_of
from widgets.view import View

if TYPE_CHECKING:
    from cockpit.model.incident import Incident

MINUTE_S = 60.0
TITLE = 24
LEAST_TITLE = 8
"""Fewer cells of a title say nothing."""


def incident_part(view: View, is_frozen: bool, room: int, room_for_title: int) -> tuple[Line, ...]:
    """One part, in `room` cells where that can be; with the title where that fits into `room_for_title`.

    Nothing where the log has not been read yet, so that nobody takes that for `none`.
    """
    found = view.snapshot.incidents
    if found.value is None:
        return (line(("incident log ", "label"), ("cannot be read", "warn")),) if found.error else ()
    if not found.value:
        return (line(("no incident", "label")),)
    newest = found.value[0]
    rest = _rest(newest, view.now, is_frozen, len(found.value) - 1)
    severity = newest.severity.label
    drill = "DRILL " if newest.is_drill else ""
    keys = line((" › 3", "key"))
    size = min(TITLE, room_for_title - width_of((*line(f"{drill}{severity} "), *rest, *keys)))
    if size >= min(LEAST_TITLE, width_of(line(newest.title))):
        return (line((f"{drill}{severity} {cut_text(newest.title, size)}", "strong"), *rest, *keys),)
    kind = drill or "incident "
    brief = ((f"{kind}{severity}", keys), (f"{kind}{severity}", ()), (kind.rstrip(), ()))
    parts = [line((words, "strong"), *rest, *tail) for words, tail in brief]
    return (next((part for part in parts if width_of(part) <= room), line((severity, "strong"), *rest)),)


def _rest(incident: Incident, now: float, is_frozen: bool, others: int) -> Line:
    """Its clock, and what else is to be known of it."""
    ran_s = max(0.0, now - incident.from_at)
    goal_s = None if incident.rto_minutes is None else incident.rto_minutes * MINUTE_S
    ink = "accent" if goal_s is None or ran_s < goal_s * 0.8 else "warn" if ran_s <= goal_s else "crit"
    # While the wall is frozen minutes will do: what only grows says nothing new.
    clock = (whole_minutes(ran_s) if is_frozen else short_age(ran_s)) + (
        f" of {short_age(goal_s)}" if goal_s is not None else ""
    )
    is_late = incident.next_update_at is not None and incident.next_update_at < now
    return line(
        (f" {clock}", ink),
        (f" +{others}" if others else "", "label"),
        (" update due" if is_late else "", "warn"),
        (" unreadable" if incident.problem else "", "warn"),
    )
