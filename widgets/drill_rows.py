"""The drills: what is due, the one that runs with its goals and its coach, and those that have ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cockpit.model.drill import Board, Drill, Due, Scenario
from cockpit.text import clean
from themes.glyphs import Mark
from widgets.figures import age, plural
from widgets.jobs_rows import ruled, when
from widgets.line import EMPTY, Line, both, cut, cut_text, line, pad, wrapped
from widgets.line import field as cell

NAME = 18
SECTION = 5
DUE = 18
BEFORE_TITLE = 1 + NAME + SECTION + DUE
NARROWEST = 16
GOAL = 12
MARKS = {
    "PASSED": Mark("●", "PASSED", "ok"),
    "FAILED": Mark("■", "FAILED", "crit"),
    "STOPPED": Mark("○", "STOPPED", "warn"),
    "LOST": Mark("?", "LOST", "unknown"),
    "running": Mark("▶", "RUNNING", "accent"),
}


@dataclass(frozen=True, slots=True)
class Stand:
    """All that the screen shows."""

    now: float
    board: Board | None = None
    shown: Sequence[Due] = ()
    picked: int = 0
    coach: Sequence[str] = field(default=())
    """What comes next in the running drill, and the hints that are due."""
    here: bool = True
    """Whether the running drill is played on the platform that this cockpit is on."""
    progress: str = ""


def matching(board: Board | None, text: str) -> tuple[Due, ...]:
    """The scenarios that have the text in them."""
    wanted = text.casefold()
    dues = board.dues if board is not None else ()
    told = ((f"{due.scenario.name} {due.scenario.title} {due.scenario.section}", due) for due in dues)
    return tuple(due for words, due in told if wanted in words.casefold())


def drill_rows(stand: Stand, width: int, height: int) -> list[Line]:
    """The running one on top; else what the picked one is, and how it went last."""
    board = stand.board
    if board is None:
        return [ruled("Drills", width), line((f" {stand.progress or 'reading'}", "label"))]
    rows = _running(stand, board, width) if board.running else []
    rows += [ruled("Schedule", width, line((_overdue(board, stand.now), "label")))]
    for index, due in enumerate(stand.shown):
        rows += _due(due, stand.now, width, index == stand.picked)
    if not stand.shown:
        rows.append(line((" no drill with this text", "label")))
    if stand.progress:
        rows.append(line((" ", "text"), (f" {stand.progress} ", "block_warn")))
    if stand.picked < len(stand.shown):
        rows += _scenario(stand.shown[stand.picked], stand.now, width)
    rows += _history(board, stand.now, width)
    rows.extend([EMPTY] * (height - len(rows)))
    return [cut(row, width) for row in rows[:height]]


def report_rows(title: str, lines: Sequence[str], top: int, width: int, height: int) -> list[Line]:
    """The report of one that has ended, from that line on; nothing of it is lost on a narrow screen."""
    parts = [part for text in lines for part in (wrapped(clean(text, 2000), max(10, width - 2)) or [""])]
    rows = [ruled(f"Report: {title}", width, line((f"{plural(len(parts), 'line')}   Esc goes back", "label")))]
    first = max(0, min(top, len(parts) - (height - 1)))
    rows += [line((f" {part}", "title" if part.startswith("#") else "text")) for part in parts[first:]]
    rows.extend([EMPTY] * (height - len(rows)))
    return [cut(row, width) for row in rows[:height]]


def _overdue(board: Board, now: float) -> str:
    count = sum(due.is_overdue(now) for due in board.dues)
    return f"{count} to be played now" if count else "nothing is overdue"


def _due(due: Due, now: float, width: int, is_picked: bool) -> list[Line]:
    """Its title in full: over two lines where it takes them."""
    one = due.scenario
    title, *more = wrapped(one.title, max(NARROWEST, width - BEFORE_TITLE - 1)) or ("",)
    ink = "warn" if due.is_overdue(now) else "label"
    last = f"last {age(max(0.0, now - _end(due.last)))} ago {due.last.verdict}" if due.last else ""
    left = line(
        " ", cell(one.name, NAME, "value"), cell(one.section, SECTION, "label"), cell(due.word(now), DUE, ink),
        (title, "text"),
    )  # fmt: skip
    row = both(left, line((f"{last} ", "label")), width) if width >= 100 else left
    rows = [row, *(line(" " * BEFORE_TITLE, (each, "text")) for each in more)]
    if not is_picked:
        return rows
    return [tuple((text, "picked") for text, _ in pad(cut(each, width), width)) for each in rows]


def _end(drill: Drill) -> float:
    return drill.started_at if drill.ended_at is None else drill.ended_at


def _scenario(due: Due, now: float, width: int) -> list[Line]:
    one = due.scenario
    rows = [ruled(one.title, width, line((f"runbook {one.section}", "label")))]
    rows.append(line((f" {one.sentence}", "value")))
    rows.append(line((" goals: ", "label"), (", ".join(goal.name for goal in one.goals), "text")))
    if due.last is not None:
        rows.append(_ended(due.last, now, width))
        rows += [line((f"   missed: {words}", "warn")) for words in due.last.missed[:2]]
    return rows


def _running(stand: Stand, board: Board, width: int) -> list[Line]:
    drill = board.running
    assert drill is not None
    found = board.scenario(drill.scenario)
    clock = age(max(0.0, stand.now - drill.started_at))
    limit = f" of {drill.rto_s / 60:.0f} min" if drill.rto_s else ""
    is_late = drill.rto_s is not None and stand.now - drill.started_at > drill.rto_s
    right = line((f"{clock}{limit}", "crit" if is_late else "value"), (f" by {drill.by}", "label"))
    rows = [ruled("Drill runs", width, right)]
    rows.append(
        line((" DRILL ", "block_warn"), (f" {drill.title} ", "strong"), (f"incident {drill.incident}", "label"))
    )
    if not stand.here:
        words = f"played on another platform; in another terminal: cockpit --config {drill.config}"
        rows += [line((f" {part}", "accent")) for part in wrapped(words, max(10, width - 2))]
    rows += _goals(drill, found, stand.now) if found else []
    for number, words in enumerate(stand.coach):
        parts = wrapped(words, max(10, width - 10))
        rows.append(line((" next  " if number == 0 else " hint  ", "accent"), (parts[0] if parts else "", "value")))
        rows += [line(("       ", "text"), (part, "value")) for part in parts[1:3]]
    return rows


def _goals(drill: Drill, found: Scenario, now: float) -> list[Line]:
    rows = []
    upcoming = drill.next_goal(found)
    for goal in found.goals:
        at = drill.met(goal.name)
        if at is not None:
            mark, took = Mark("●", "reached", "ok"), age(max(0.0, at - drill.started_at))
        elif goal is upcoming:
            mark, took = Mark("▶", "next", "accent"), age(max(0.0, now - drill.waits_since()))
        else:
            mark, took = Mark("○", "open", "label"), ""
        rows.append(
            line(" ", (f"{mark.glyph} ", mark.ink), cell(goal.name, GOAL, "value"), cell(mark.word, 9, mark.ink),
                 (f"{took:>9}", "value"))
        )  # fmt: skip
    return rows


def _history(board: Board, now: float, width: int) -> list[Line]:
    if not board.history:
        return []
    return [ruled("Played", width), *(_ended(drill, now, width) for drill in board.history)]


def _ended(drill: Drill, now: float, width: int) -> Line:
    mark = MARKS.get(drill.verdict, MARKS["LOST"])
    took = age(max(0.0, (drill.ended_at or now) - drill.started_at))
    left = line(
        " ", (f"{mark.glyph} ", mark.ink), cell(mark.word, 9, mark.ink), cell(when(drill.started_at, now), 13, "label"),
        (cut_text(drill.title, max(0, width - 50)), "text"),
    )  # fmt: skip
    return both(left, line((f"{took}  {drill.by} ", "label")), width)
