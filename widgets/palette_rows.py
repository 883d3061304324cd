"""The commands: found by any letters of their names in order; all in memory, never slow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from widgets.field import Field
from widgets.line import Line, both, line, pad
from widgets.printable import safe


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing the palette offers."""

    title: str
    keys: str
    """How it is reached without the palette."""
    action: str
    """What the overview runs."""
    ink: str = "value"


def score(needle: str, title: str) -> int | None:
    """How well the letters match, small is good; None where they do not.

    >>> score("kill", "Engage the kill switch"), score("eks", "Engage the kill switch"), score("xyz", "Engage")
    (11, 1016, None)
    """
    needle, title = needle.casefold().strip(), title.casefold()
    if not needle:
        return 0
    at = title.find(needle)
    if at >= 0:
        return at
    at, first = -1, -1
    for char in needle:
        if char == " ":
            continue
        at = title.find(char, at + 1)
        if at < 0:
            return None
        first = at if first < 0 else first
    return 1000 + at - first


def found(entries: Sequence[Entry], needle: str) -> list[Entry]:
    """The entries that match, best first; equals stay in their order."""
    scored = [(score(needle, f"{entry.title} {entry.keys}"), entry) for entry in entries]
    return [entry for points, entry in sorted(((p, e) for p, e in scored if p is not None), key=lambda each: each[0])]


def palette_rows(matches: Sequence[Entry], needle: Field, picked: int, width: int, height: int) -> list[Line]:
    """Field and list in a border."""
    inner = width - 4
    room = max(1, height - 4)
    first = max(0, min(picked - room // 2, len(matches) - room))
    rows: list[Line] = [line((": ", "key"), *needle.shown(inner - 2))]
    for at, entry in enumerate(matches[first : first + room], first):
        ink = "picked" if at == picked else entry.ink
        keys = line((f"{entry.keys} ", "picked" if at == picked else "key"))
        text = both(line((f" {entry.title}", ink)), keys, inner)
        rows.append(tuple((part, "picked") for part, _ in text) if at == picked else text)
    if not matches:
        rows.append(line((" nothing matches", "label")))
    rows.extend([()] * (room + 1 - len(rows)))
    top: Line = (("╭─", "accent"), (" Commands ", "title"), ("─" * (width - 13), "accent"), ("╮", "accent"))
    foot = " Enter opens it, nothing runs without its dialog   Esc closes "[: width - 4]
    bottom: Line = (("╰─", "accent"), (foot, "dim"), ("─" * (width - len(foot) - 3), "accent"), ("╯", "accent"))
    return [top, *((("│ ", "accent"), *pad(safe(row), inner), (" │", "accent")) for row in rows), bottom]
