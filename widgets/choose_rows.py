"""What a step can be taken on: a list with how each thing stands, narrowed by letters."""

from __future__ import annotations

from collections.abc import Sequence

from cockpit.model.choice import Choice
from cockpit.text import clean
from widgets.field import Field
from widgets.line import Line, both, cells, cut_text, line, pad
from widgets.printable import safe
from widgets.standing import CALLED


def matching(choices: Sequence[Choice], letters: str) -> tuple[Choice, ...]:
    """Those that begin with the letters; where none does, those that hold them.

    >>> found = [Choice("d", "router", ""), Choice("d", "api", ""), Choice("d", "ws-router", "")]
    >>> [one.value for one in matching(found, "R")], [one.value for one in matching(found, "pi")]
    (['router'], ['api'])
    """
    wanted = letters.casefold().strip()
    first = tuple(one for one in choices if one.value.casefold().startswith(wanted))
    return first or tuple(one for one in choices if wanted in one.value.casefold())


def choose_rows(
    title: str, parameter: str, matches: Sequence[Choice], needle: Field, at: int, note: str, width: int, height: int
) -> list[Line]:
    """Field and list in a border; `parameter` is what is chosen."""
    inner = width - 4
    room = max(1, height - 4)
    first = max(0, min(at - room // 2, len(matches) - room))
    prompt = f"which {cut_text(CALLED.get(parameter, parameter), 20)}: "
    rows: list[Line] = [line((prompt, "key"), *needle.shown(inner - len(prompt)))]
    for index, one in enumerate(matches[first : first + room], first):
        ink = "picked" if index == at else "value"
        name, words = cut_text(clean(one.value, 80), inner - 2), clean(one.words, 80)
        text = both(line((f" {name}", ink)), line((f"{words} ", "picked" if index == at else "label")), inner)
        rows.append(tuple((part, "picked") for part, _ in text) if index == at else text)
    if not matches:
        rows.append(line((f" {note or 'nothing begins so'}", "label")))
    rows.extend([()] * (min(room, max(3, len(matches))) + 1 - len(rows)))
    head = cut_text(f" {clean(title, 160)} ", width - 4)
    top: Line = (("╭─", "accent"), (head, "title"), ("─" * (width - cells(head) - 3), "accent"), ("╮", "accent"))
    foot = cut_text(" Enter takes it, its dialog comes next   Esc closes ", width - 4)
    bottom: Line = (("╰─", "accent"), (foot, "dim"), ("─" * (width - len(foot) - 3), "accent"), ("╯", "accent"))
    body = [(("│ ", "accent"), *pad(safe(row), inner), (" │", "accent")) for row in rows]
    return [top, *body, bottom]
