"""The step chooser: each next key with what it does, its class, and why it cannot be done now."""

from __future__ import annotations

from collections.abc import Mapping

from cockpit.model.action import ActionSpec
from themes.glyphs import DANGER
from widgets.line import Line, cut, field, line, number, pad, plain, width_of, wrapped


def sections(actions: tuple[ActionSpec, ...]) -> dict[str, list[ActionSpec]]:
    """Section key -> its steps, in the order of the runbook."""
    found: dict[str, list[ActionSpec]] = {}
    for action in actions:
        found.setdefault(action.section_key, []).append(action)
    return found


def chooser_rows(
    actions: tuple[ActionSpec, ...], section: str | None, refusals: Mapping[str, str], width: int
) -> list[Line]:
    """Sections, or the steps of one section; drawn over the foot of the wall."""
    found = sections(actions)
    if section is None or section not in found:
        rows = [_section(key, steps) for key, steps in found.items()]
        title = "Space › section"
    else:
        rows = [row for step in found[section] for row in _step(step, refusals.get(step.id, ""), width - 4)]
        first = found[section][0]
        title = f"Space {section} › {first.section} {first.section_title}"
    if not rows:
        rows = [line(("no steps yet: the cockpit is still starting", "label"))]
    top: Line = (
        ("╭─", "accent"),
        (f" {title} ", "title"),
        ("─" * max(0, width - len(title) - 5), "accent"),
        ("╮", "accent"),
    )
    body: list[Line] = [(("│ ", "accent"), *pad(cut(row, width - 4), width - 4), (" │", "accent")) for row in rows]
    foot = "Esc closes" if section is None else "Esc closes, Backspace goes back"
    bottom: Line = (
        ("╰─", "accent"),
        (f" {foot} ", "dim"),
        ("─" * max(0, width - len(foot) - 5), "accent"),
        ("╯", "accent"),
    )
    return [top, *body, bottom]


def _section(key: str, steps: list[ActionSpec]) -> Line:
    first = steps[0]
    names = ", ".join(f"{step.key} {step.step}" for step in steps)
    return line((f" {key} ", "key"), field(f" {first.section} {first.section_title}", 28, "value"), (names, "label"))


def _step(step: ActionSpec, refusal: str, width: int) -> list[Line]:
    """One line where all fits, else the words below."""
    key = line((f" {step.key} ", "disabled" if refusal else "key"))
    title = field(f" {step.title}", min(34, max(12, width - 14)), "disabled" if refusal else "value")
    head = line(*key, title, number(step.danger.value, 8, DANGER[step.danger]), "  ")
    note = line(("refused: ", "crit"), (refusal, "label")) if refusal else line((step.summary, "label"))
    if width_of(head) + width_of(note) <= width:
        return [(*head, *note)]
    return [head, *(line("    ", (each, "crit" if refusal else "label")) for each in wrapped(plain(note), width - 4))]
