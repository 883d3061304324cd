"""A row of the screen as cells, and where two rows differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style

from cockpit.terminal.pen import Ink, blank_of, ink_of
from cockpit.text import ONE_CELL

JOIN = 4
"""Runs nearer than this are sent as one: moving the cursor costs as much."""
Cell = tuple[str, Ink | None]
"""A character with its combining marks, and its ink; the second cell of a wide character is empty text."""
NOTHING: Cell = ("\0", None)
"""What is on a cell of which nothing is known: equal to nothing that is drawn."""


class Letters(dict[str, Cell]):
    """The cells of one ink by their characters: equal ones are one object, which takes no room and compares at once."""

    def __init__(self, ink: Ink) -> None:
        super().__init__({" ": (" ", blank_of(ink))})
        self._ink = ink

    def __missing__(self, char: str) -> Cell:
        cell = self[char] = (char, self._ink)
        return cell


@lru_cache(maxsize=512)
def letters_of(ink: Ink) -> Letters:
    """To be asked for characters of one cell alone: there are some 1,200, and a screen uses a hundred."""
    return Letters(ink)


def cells_of(segments: Iterable[Segment], colours: ColorSystem) -> tuple[list[Cell], bool]:
    """One entry a cell, and whether each character is one. A blank shows only its ground: nothing else of its style."""
    found: list[Cell] = []
    is_plain = True
    for text, style, control in segments:
        if control:
            continue
        plain = _plain_cells(text, style, colours)
        if plain is not None:
            found.extend(plain)
        else:
            is_plain = False
            _extend(found, text, ink_of(style, colours))
    return found, is_plain


@lru_cache(maxsize=1024)
def _plain_cells(text: str, style: Style | None, colours: ColorSystem) -> tuple[Cell, ...] | None:
    """Most of a row that changes is as it was: the same objects, which compare at once. None for wide characters."""
    if not ONE_CELL.issuperset(text):
        return None
    letters = letters_of(ink_of(style, colours))
    return tuple(map(letters.__getitem__, text))


def _extend(found: list[Cell], text: str, ink: Ink) -> None:
    blank = (" ", blank_of(ink))
    for char in text:
        size = cell_len(char)
        if size == 0:
            _combine(found, char, ink)
        else:
            found.append((char, ink) if char != " " else blank)
            found.extend([("", ink)] * (size - 1))


def without_lost_marks(text: str) -> str:
    """The text from its first character that takes a cell.

    >>> without_lost_marks("\u0301\u0302ab\u0301") == "ab\u0301"
    True
    """
    at = 0
    while at < len(text) and text[at] not in ONE_CELL and cell_len(text[at]) == 0:
        at += 1
    return text[at:]


def _combine(found: list[Cell], mark: str, ink: Ink) -> None:
    """A mark belongs to the character before it, which may be a wide one."""
    at = len(found) - 1
    while at > 0 and not found[at][0]:
        at -= 1
    if at >= 0:
        char, own = found[at]
        found[at] = (char + mark, ink if char == " " else own)


def mend(row: list[Cell]) -> None:
    """Halves of wide characters become blanks, as they do on a terminal when the other half is overwritten."""
    for at, (char, ink) in enumerate(row):
        if char in ONE_CELL:
            continue
        if not char:
            if at == 0 or not _is_wide(row[at - 1][0]):
                row[at] = (" ", blank_of(ink) if ink else ink)
        elif _is_wide(char) and (at + 1 == len(row) or row[at + 1][0]):
            row[at] = (" ", blank_of(ink) if ink else ink)


def _is_wide(char: str) -> bool:
    return bool(char) and not char.isascii() and cell_len(char[0]) > 1


def runs(before: list[Cell], after: list[Cell]) -> Iterator[tuple[int, int]]:
    """Where the two differ, as [first, last): near ones of one ink joined, wide characters whole.

    >>> from cockpit.terminal.pen import PLAIN
    >>> row = lambda text: [(char, PLAIN) for char in text]
    >>> list(runs(row("age 0.4 s   x"), row("age 1.7 s   y")))
    [(4, 7), (12, 13)]
    """
    first = last = -1
    for at in [at for at, (old, new) in enumerate(zip(before, after, strict=True)) if old is not new and old != new]:
        start = at
        while start > 0 and not (after[start][0] and before[start][0]):
            start -= 1
        if first >= 0 and start - last < JOIN and _is_one_ink(after, last - 1, start):
            last = max(last, at + 1)
        else:
            if first >= 0:
                yield first, last
            first, last = start, at + 1
        while last < len(after) and not (after[last][0] and before[last][0]):
            last += 1
    if first >= 0:
        yield first, last


def _is_one_ink(row: list[Cell], first: int, last: int) -> bool:
    """Whether the gap can be bridged without telling the pen anything."""
    ink = row[first][1]
    for at in range(first + 1, last):
        char, other = row[at]
        if other is not ink and not (char == " " and ink and other and ink.covers(other)):
            return False
    return True
