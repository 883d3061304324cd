"""The readiness: every step with what taking it now would come to, why, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cockpit.model.rehearsal import Outcome, Rehearsal, Rehearsed
from themes.glyphs import Mark
from widgets.figures import age, plural
from widgets.jobs_rows import ruled, when
from widgets.line import EMPTY, Line, cut, cut_text, field, line, pad, wrapped

MARKS = {
    Outcome.WORKS: Mark("●", "would work", "ok"),
    Outcome.LIMITED: Mark("◆", "limited", "notice"),
    Outcome.IN_TURN: Mark("○", "in its turn", "ok"),
    Outcome.NEEDLESS: Mark("·", "not needed", "label"),
    Outcome.UNKNOWN: Mark("?", "unknown", "unknown"),
    Outcome.BROKEN: Mark("■", "would NOT work", "crit"),
}
WORD = 15
NAME = 22
KEYS = 11
WIDE = 110
DETAIL = 7
OLD_S = 24 * 3600.0
"""After a day nobody may rely on a rehearsal."""


@dataclass(frozen=True, slots=True)
class Stood:
    """All that the screen shows."""

    now: float
    rehearsal: Rehearsal | None = None
    shown: Sequence[Rehearsed] = ()
    picked: int = 0
    progress: str = ""
    """What is being looked at just now; empty where nothing runs."""
    is_read: bool = True
    """Whether it is known which was the last."""
    switched_at: float | None = None
    """Unix seconds of the kill switch's last change."""
    is_coming: bool = False
    """Whether the next one is made by itself."""


def is_outdated(rehearsal: Rehearsal | None, switched_at: float | None) -> bool:
    """Whether the kill switch, on which many lines depend, has changed since the rehearsal."""
    return rehearsal is not None and switched_at is not None and switched_at > rehearsal.at


def matching(rehearsal: Rehearsal | None, text: str) -> tuple[Rehearsed, ...]:
    """The lines that have the text in them, by their words too."""
    wanted = text.casefold()
    lines = rehearsal.lines if rehearsal else ()
    told = ((f"{one.section} {one.name} {one.title} {MARKS[one.outcome].word} {one.reason}", one) for one in lines)
    return tuple(one for words, one in told if wanted in words.casefold())


def readiness_rows(stood: Stood, width: int, height: int) -> list[Line]:
    """Head, list and the picked line in full."""
    rows = [ruled("Readiness", width, _when(stood)), _counts(stood)]
    if is_outdated(stood.rehearsal, stood.switched_at):
        again = "" if stood.progress else ": rehearsed again in a moment" if stood.is_coming else ": r rehearses again"
        rows.append(line((" OLD ", "block_warn"), (f" the kill switch has changed since{again}", "warn")))
    detail = DETAIL if height >= 14 else 0
    room = max(1, height - len(rows) - detail)
    listed = _listed(stood, width)
    at = next((index for index, (number, _) in enumerate(listed) if number == stood.picked), 0)
    first = max(0, min(at - room // 2, len(listed) - room))
    part = [row for _, row in listed[first : first + room]]
    below = len(listed) - first - len(part)
    if below > 0:
        part[-1] = line((f"   ↓ {plural(below + 1, 'more line')}", "dim"))
    rows += part
    rows.extend([EMPTY] * (height - detail - len(rows)))
    if detail and stood.picked < len(stood.shown):
        rows.extend(_detail(stood.shown[stood.picked], width))
    return [cut(row, width) for row in rows[:height]]


def _when(stood: Stood) -> Line:
    found = stood.rehearsal
    if found is None:
        return line(("not rehearsed here yet" if stood.is_read else "", "label"))
    passed = max(0.0, stood.now - found.at)
    ink = "warn" if passed > OLD_S else "label"
    return line((f"{age(passed)} ago", ink), (f" by {found.by}, {when(found.at, stood.now)} UTC", "label"))


def _counts(stood: Stood) -> Line:
    if stood.progress:
        return line((" LOOKING ", "block_warn"), (f" {stood.progress}", "text"))
    if not stood.is_read:
        return line((" the last rehearsal is being read …", "label"))
    if stood.rehearsal is None:
        return line((" r rehearses every step; nothing is changed by it", "label"))
    parts: list[tuple[str, str] | str] = [" "]
    for outcome in reversed(Outcome):
        count = stood.rehearsal.count(outcome)
        if count:
            mark = MARKS[outcome]
            parts += [(f"{mark.glyph} {count} {mark.word}", mark.ink), "   "]
    return line(*parts)


def _listed(stood: Stood, width: int) -> list[tuple[int | None, Line]]:
    rows: list[tuple[int | None, Line]] = []
    section = None
    for number, one in enumerate(stood.shown):
        if (one.section, one.section_title) != section:
            section = (one.section, one.section_title)
            rows.append((None, ruled(f"{one.section} {one.section_title}".strip(), width, EMPTY)))
        rows.append((number, _row(one, width, number == stood.picked)))
    if not stood.shown and stood.rehearsal is not None:
        rows.append((None, line((" no line with this text", "label"))))
    return rows


def _row(one: Rehearsed, width: int, is_picked: bool) -> Line:
    mark = MARKS[one.outcome]
    keys = (field(one.keys, KEYS, "key"),) if width >= WIDE else ()
    used = 3 + WORD + NAME + (KEYS if keys else 0)
    ink = "value" if not one.outcome.is_well else "label"
    row = line(
        " ",
        (f"{mark.glyph} ", mark.ink),
        field(mark.word, WORD, mark.ink),
        field(one.name, NAME, "value"),
        *keys,
        (cut_text(one.reason, max(0, width - used)), ink),
    )
    return tuple((text, "picked") for text, _ in pad(row, width)) if is_picked else row


def _detail(one: Rehearsed, width: int) -> list[Line]:
    mark = MARKS[one.outcome]
    asked = f"{one.checked} questions" if one.checked != 1 else "1 question"
    rows = [ruled(one.title, width, line((f"{one.keys}   {asked}".strip(), "label")))]
    rows.append(line((f" {mark.glyph} {mark.word}", mark.ink)))
    reason = wrapped(one.reason or "every check passes", max(10, width - 2))
    rows += [line((f" {part}", "value")) for part in reason[:3]]
    if one.advice:
        rows.append(line((" do ", "accent"), (one.advice, "text")))
    return [*rows, *[EMPTY] * (DETAIL - len(rows))][:DETAIL]
