"""A panel's border: its name, its state in word and glyph, and the age of its data at the right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cockpit.model.severity import Severity
from themes.glyphs import SEVERITY
from widgets.figures import short_age
from widgets.line import Line, cut_text, line, pad, width_of

if TYPE_CHECKING:
    from cockpit.model.sample import Sample

_BORDERS = {
    Severity.P1: "border_crit",
    Severity.P2: "border_warn",
    Severity.UNKNOWN: "border_unknown",
}


def border_ink(severity: Severity, is_selected: bool) -> str:
    """The border's ink: calm unless something is wrong here or the operator stands here."""
    return "border_selected" if is_selected else _BORDERS.get(severity, "border")


def age_words(sample: Sample[object] | None, now: float, room: int) -> tuple[str, str]:
    """What stands at the right of a title, and its ink.

    >>> from cockpit.model.sample import Sample
    >>> age_words(Sample.good(1, 10.0, 0.1), 10.4, 30)
    ('0.4 s', 'label')
    >>> age_words(Sample.good(1, 10.0, 0.1).failed("refused", 23.0, 2.0), 24.2, 30)
    ('14 s OLD, not answering', 'warn')
    """
    if sample is None:
        return "", "label"
    age = sample.age_s(now)
    if age is None:
        if not sample.error:
            return "no answer yet", "unknown"
        return ("NO DATA, not answering" if room >= 22 else "NO DATA"), "warn"
    if sample.error:
        words = f"{short_age(age)} OLD, not answering"
        return (words if len(words) <= room else f"{short_age(age)} OLD"), "warn"
    if sample.is_stale(now):
        return f"{short_age(age)} OLD", "warn"
    return short_age(age), "label"


def box(
    title: str,
    severity: Severity | None,
    right: tuple[str, str],
    body: list[Line],
    width: int,
    height: int,
    is_selected: bool = False,
    border: str | None = None,
) -> list[Line]:
    """The body in a border of exactly `width` x `height` cells."""
    ink = border or border_ink(severity or Severity.OK, is_selected)
    # Where the operator stands is said by the upper edge: the others keep what is wrong, and on a slow line all four
    # would take a tenth of a second.
    calm = border or border_ink(severity or Severity.OK, False)
    name = line(("╭─", ink), (f" {title} ", "title_selected" if is_selected else "title"))
    if severity is not None:
        glyph, word, own = SEVERITY[severity]
        name = (*name, (f"{glyph} {word} ", own))
    words, age_ink = right
    words = cut_text(words, max(0, width - width_of(name) - 5))
    tail = line((f" {words} ", age_ink), ("─╮", ink)) if words else line(("─╮", ink))
    fill = width - width_of(name) - width_of(tail)
    top = (*name, ("─" * max(0, fill), ink), *tail)
    lines = [top]
    for row in range(max(0, height - 2)):
        content = body[row] if row < len(body) else ()
        lines.append((("│ ", calm), *pad(content, width - 4), (" │", calm)))
    lines.append((("╰" + "─" * (width - 2) + "╯", calm),))
    return lines[:height]
