"""The incidents as a list, the timeline of one, and the line of facts above its text."""

from __future__ import annotations

from collections.abc import Sequence

from cockpit.model.incident import Incident, TimelineEntry
from themes.glyphs import SEVERITY
from widgets.figures import short_age
from widgets.jobs_rows import ruled, when
from widgets.line import EMPTY, Line, both, cut, cut_text, fitted, line, wrapped

KIND_INKS = {
    "finding": "crit",
    "cleared": "ok",
    "closed": "ok",
    "action": "accent",
    "outcome": "accent",
    "severity": "warn",
    "note": "value",
}
SOON_S = 120.0
"""An update that is due within this is shown as a warning."""


NONE_YET, NONE_FOUND = "none yet: o opens one", "none has this text"


def list_rows(
    incidents: Sequence[Incident] | None,
    picked: str | None,
    now: float,
    width: int,
    height: int,
    is_active: bool,
    none: str = NONE_YET,
) -> list[Line]:
    """Two lines an incident, the picked one among them; None is not read yet, `none` says why there is nothing."""
    if incidents is None:
        return [line((" being read …", "label"))]
    if not incidents:
        return [line((f" {none}", "label"))]
    at = next((index for index, each in enumerate(incidents) if each.id == picked), 0)
    room = max(1, height // 2)
    first = max(0, min(at - room // 2, len(incidents) - room))
    rows: list[Line] = []
    for index, incident in enumerate(incidents[first : first + room], first):
        glyph, _, ink = SEVERITY[incident.severity]
        state = (("open ", "warn"),) if incident.is_open else (("closed ", "label"),)
        word = " DRILL" if incident.is_drill else ""
        head = both(line((f" {glyph} {incident.severity.label}{word} ", ink), (incident.title, "value")), (), width)
        tail = both(line((f"   {when(incident.opened_at, now)}", "label")), state, width)
        if index == at:
            ink = "picked" if is_active else "strong"
            head = tuple((text, ink) for text, _ in head)
        rows += [head, tail]
    return rows


def timeline_rows(entries: Sequence[TimelineEntry], width: int, height: int, scroll: int) -> list[Line]:
    """The newest at the end; `scroll` rows further up."""
    rows: list[Line] = []
    day = ""
    for entry in entries:
        moment = when(entry.at, entry.at)
        written = when(entry.at, entry.at + 172_800.0).split()[0]
        if written != day and day:
            rows.append(line((f" {written}", "dim")))
        day = written
        ink = KIND_INKS.get(entry.kind, "label")
        parts = wrapped(entry.text, max(8, width - 11)) or ("",)
        rows.append(line((f" {moment} ", "label"), (f"{entry.kind}", ink)))
        rows.extend(line("          ", (part, "text")) for part in parts)
    if not rows:
        return [line((" nothing yet", "label"))]
    scroll = max(0, min(scroll, len(rows) - height))
    end = len(rows) - scroll
    return rows[max(0, end - height) : end]


def facts_row(incident: Incident, state: tuple[str, str], now: float, width: int) -> list[Line]:
    """Two lines: what it is and whether it is saved; its clock, roles and the promised update."""
    glyph, _, ink = SEVERITY[incident.severity]
    word = " DRILL" if incident.is_drill else ""
    title = line((f" {glyph} {incident.severity.label}{word} ", ink), (incident.title, "title"))
    said = line((f"{cut_text(state[0], max(8, width // 2))} ", state[1]))
    return [both(title, said, width), cut(fitted(_facts(incident, now), width - 1), width)]


def _facts(incident: Incident, now: float) -> list[Line]:
    parts: list[Line] = [_clock(incident, now)]
    if incident.problem:
        parts.append(line((incident.problem, "crit")))
    due = incident.next_update_at
    if due is not None and incident.is_open:
        left = due - now
        words = f"update in {short_age(left)}" if left > 0 else f"UPDATE DUE for {short_age(-left)}"
        parts.append(line((words, "text" if left > SOON_S else "warn")))
    parts += [line((f"{role} ", "label"), (who, "value")) for role, who in incident.roles]
    if incident.break_glass and not incident.reviewed_by:
        parts.append(line((f"acted alone, to be reviewed: {', '.join(incident.break_glass)}", "warn")))
    return parts


def _clock(incident: Incident, now: float) -> Line:
    if not incident.is_open:
        assert incident.closed_at is not None
        return line((f" closed after {short_age(incident.closed_at - incident.from_at)}", "label"))
    ran_s = max(0.0, now - incident.from_at)
    if incident.rto_minutes is None:
        return line((f" {short_age(ran_s)}", "value"))
    goal_s = incident.rto_minutes * 60
    ink = "value" if ran_s < goal_s * 0.8 else "warn" if ran_s <= goal_s else "crit"
    return line((f" {short_age(ran_s)} of {short_age(goal_s)}", ink))


def columns(parts: Sequence[tuple[list[Line], int]], height: int) -> list[Line]:
    """Side by side with a line between them; each part is its rows and its width."""
    rows: list[Line] = []
    for index in range(height):
        row: Line = EMPTY
        for number, (part, width) in enumerate(parts):
            cell = part[index] if index < len(part) else EMPTY
            row = (*row, *((("│", "border"),) if number else ()), *both(cell, (), width))
        rows.append(row)
    return rows


STACKED = 15
"""From so many rows on all three panes stand below each other; with less, the list alone."""


def stacked(incidents: int, height: int) -> tuple[tuple[str, int], ...]:
    """How the rows are shared where the panes stand below each other: the report gets the most.

    >>> stacked(1, 21), stacked(40, 21), stacked(1, 10)
    ((('list', 3), ('text', 13), ('timeline', 5)), (('list', 7), ('text', 9), ('timeline', 5)), (('list', 10),))
    """
    if height < STACKED:
        return (("list", height),)
    listed, late = min(1 + 2 * max(1, incidents), height // 3), height // 4
    return (("list", listed), ("text", height - listed - late), ("timeline", late))


def below(parts: Sequence[tuple[list[Line], int]]) -> list[Line]:
    """Below each other; each part is its rows and its height."""
    return [row for rows, height in parts for row in (*rows[:height], *[EMPTY] * (height - len(rows)))]


def head(title: str, width: int, is_active: bool) -> Line:
    """The rule above a pane; the one with the hand in it is marked."""
    row = ruled(title, width)
    return tuple((text, "accent" if is_active and ink in ("title", "border") else ink) for text, ink in row)


def panels_table(rows: Sequence[tuple[str, str, str]], taken: str) -> str:
    """Panel, severity and what it says, as a Markdown table.

    >>> print(panels_table([("Redis", "P1", "a | b")], "19:44:12 UTC"))
    | Panel | State | 19:44:12 UTC |
    |---|---|---|
    | Redis | P1 | a / b |
    """
    cells = [[part.replace("|", "/").strip() for part in row] for row in rows]
    lines = [f"| {' | '.join(row)} |" for row in cells]
    return "\n".join([f"| Panel | State | {taken} |", "|---|---|---|", *lines])
