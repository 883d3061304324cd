"""The step chooser: each next key with what it does, its class, and why it cannot be done now."""

from __future__ import annotations

from collections.abc import Mapping

from cockpit.model.action import ActionSpec
from cockpit.model.finding import Finding
from themes.glyphs import DANGER, SEVERITY
from widgets.line import EMPTY, Line, cells, cut, cut_text, field, line, pad, width_of, wrapped
from widgets.printable import printable, safe

REFUSED = "refused: "
WIDEST_TITLE = 35
CLASS = 7
GAP = 2
INDENT = 4
NARROWEST = 24
"""Cells that the last column needs to be worth one."""
MOST_LINES = 3
FRAME = 5
"""Rows that are not a section's: the frame's, the drills', and the two at the top of the screen that always show."""
DRILLS = "d"
"""Leads to the screen of the drills, unless a section has taken it."""
NOTHING: Mapping[str, Finding] = {}


def sections(actions: tuple[ActionSpec, ...]) -> dict[str, list[ActionSpec]]:
    """Section key -> its steps, in the order of the runbook."""
    found: dict[str, list[ActionSpec]] = {}
    for action in actions:
        found.setdefault(action.section_key, []).append(action)
    return found


def chooser_rows(
    actions: tuple[ActionSpec, ...],
    section: str | None,
    refusals: Mapping[str, str],
    width: int,
    suggested: Mapping[str, Finding] = NOTHING,
    height: int | None = None,
) -> list[Line]:
    """Sections, or the steps of one section; drawn over the foot of the wall.

    With more sections than the height has room for, each has one line.
    """
    found = sections(actions)
    if section is None or section not in found:
        rows = _menu(found, suggested, width - 4, height)
        title = "Space › section"
    else:
        rows = _table(found[section], refusals, width - 4)
        first = found[section][0]
        title = cut_text(printable(f"Space {section} › {first.section} {first.section_title}"), width - 6)
    if not rows:
        rows = [line(("no steps yet: the cockpit is still starting", "label"))]
    top: Line = (
        ("╭─", "accent"),
        (f" {title} ", "title"),
        ("─" * max(0, width - cells(title) - 5), "accent"),
        ("╮", "accent"),
    )
    body: list[Line] = [(("│ ", "accent"), *pad(safe(row), width - 4), (" │", "accent")) for row in rows]
    foot = "Esc closes" if section is None else "Esc closes, Backspace goes back"
    bottom: Line = (
        ("╰─", "accent"),
        (f" {foot} ", "dim"),
        ("─" * max(0, width - len(foot) - 5), "accent"),
        ("╯", "accent"),
    )
    return [top, *body, bottom]


def _menu(
    found: dict[str, list[ActionSpec]], suggested: Mapping[str, Finding], width: int, height: int | None
) -> list[Line]:
    parts = [_section(key, steps, suggested.get(steps[0].section), width) for key, steps in found.items()]
    if height is not None and sum(map(len, parts)) > height - FRAME:
        parts = [[_shortened(rows, width)] for rows in parts]
    rows = [row for part in parts for row in part]
    if found and DRILLS not in found:
        rows.append(line(*_head(DRILLS, "Drills"), ("screen 4: what is due, begin one, reports", "label")))
    return rows


def _section(key: str, steps: list[ActionSpec], finding: Finding | None, width: int) -> list[Line]:
    """What is in it, every step in full; where a finding suggests it, that first."""
    first = steps[0]
    head = _head(key, f"{first.section} {first.section_title}")
    left = width_of(head)
    words = [line((each, "label")) for each in _listed(steps, max(NARROWEST, width - left))]
    if finding is not None:
        mark = SEVERITY[finding.severity]
        said = cut_text(finding.summary, max(NARROWEST, width - left - 5))
        words.insert(0, line((f"{mark.glyph} {mark.word} ", mark.ink), (said, "value")))
    return _beside(head, words, left)


def _shortened(rows: list[Line], width: int) -> Line:
    """The first of them, saying that there is more."""
    return rows[0] if len(rows) == 1 else cut((*rows[0], (" …", "label")), width)


def _listed(steps: list[ActionSpec], width: int) -> list[str]:
    """The steps with their keys; no line ends between a key and its step."""
    rows = [""]
    for at, step in enumerate(steps):
        word = f"{step.key} {step.step}{',' if at < len(steps) - 1 else ''}"
        if rows[-1] and len(rows[-1]) + 1 + len(word) > width:
            rows.append(word)
        else:
            rows[-1] = f"{rows[-1]} {word}".lstrip()
    return rows


def _head(key: str, title: str) -> Line:
    return line((f" {key} ", "key"), field(f" {title}", 28, "value"))


def _table(steps: list[ActionSpec], refusals: Mapping[str, str], width: int) -> list[Line]:
    """A column each for key, title, class, and what it does or why it cannot be done; the last one below in a slit."""
    title = min(max(width_of(line(step.title)) for step in steps), WIDEST_TITLE, max(12, width - 14))
    left = 3 + 1 + title + GAP + CLASS + GAP
    is_beside = width - left >= NARROWEST
    room = width - (left if is_beside else INDENT)
    heads = line(("key ", "dim"), field("step", title + GAP, "dim"), field("class", CLASS + GAP, "dim"))
    rows = [(*heads, ("what it does", "dim")) if is_beside else heads]
    for step in steps:
        refusal = refusals.get(step.step, "")
        ink = "disabled" if refusal else ""
        head = line(
            (f" {step.key} ", ink or "key"), " ", field(cut_text(step.title, title), title + GAP, ink or "value")
        )
        head = (*head, field(step.danger.value, CLASS + GAP, ink or DANGER[step.danger]))
        words = _words(step, refusal, room)
        rows.extend(_beside(head, words, left) if is_beside else [head, *_beside(line(" " * INDENT), words, INDENT)])
    return rows


def _beside(head: Line, words: list[Line], left: int) -> list[Line]:
    """The words in a column of their own."""
    first, *more = words or [EMPTY]
    return [(*head, *first), *((*line(" " * left), *each) for each in more)]


def _words(step: ActionSpec, refusal: str, width: int) -> list[Line]:
    if not refusal:
        return [line((each, "label")) for each in _within(step.summary, width)]
    first, *more = _within(REFUSED + refusal, width)
    return [line((REFUSED, "crit"), (first[len(REFUSED) :], "label")), *(line((each, "label")) for each in more)]


def _within(text: str, width: int) -> list[str]:
    """At most so many lines that the list stays a list."""
    lines = wrapped(text, width)
    kept, rest = lines[: MOST_LINES - 1], " ".join(lines[MOST_LINES - 1 :])
    return [*kept, cut_text(rest, width)] if rest else [*kept]
