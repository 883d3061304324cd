"""The open incident in the top line: how bad, and its clock against the time within which it has to be over."""

from __future__ import annotations

from widgets.figures import short_age, whole_minutes
from widgets.line import Line, cut_text, line
from widgets.view import View

MINUTE_S = 60.0


def incident_part(view: View, is_frozen: bool, has_title: bool) -> tuple[Line, ...]:
    """One part; nothing where the log has not been read yet, so that nobody takes that for `none`."""
    found = view.snapshot.incidents
    if found.value is None:
        return (line(("incident log ", "label"), ("cannot be read", "warn")),) if found.error else ()
    if not found.value:
        return (line(("no incident", "label")),)
    newest = found.value[0]
    ran_s = max(0.0, view.now - newest.from_at)
    goal_s = None if newest.rto_minutes is None else newest.rto_minutes * MINUTE_S
    ink = "accent" if goal_s is None or ran_s < goal_s * 0.8 else "warn" if ran_s <= goal_s else "crit"
    title = f" {cut_text(newest.title, 24)}" if has_title else ""
    # While the wall is frozen minutes will do: what only grows says nothing new.
    clock = (whole_minutes(ran_s) if is_frozen else short_age(ran_s)) + (
        f" of {short_age(goal_s)}" if goal_s is not None else ""
    )
    more = f" +{len(found.value) - 1}" if len(found.value) > 1 else ""
    is_late = newest.next_update_at is not None and newest.next_update_at < view.now
    return (
        line(
            (f"{newest.severity.label}{title}", "strong"),
            (f" {clock}", ink),
            (more, "label"),
            (" update due" if is_late else "", "warn"),
            (" unreadable" if newest.problem else "", "warn"),
            (" › 3", "key"),
        ),
    )
