"""Which cells of a line changed: only those are drawn again."""

from __future__ import annotations

from rich.cells import cell_len

from widgets.line import Line

JOIN = 4
"""Runs nearer than this are drawn as one: moving the cursor costs as much."""

Cell = tuple[str, str]


def cells(spans: Line) -> list[Cell]:
    """One entry a cell; the second cell of a wide character is empty text."""
    found: list[Cell] = []
    for text, ink in spans:
        if text.isascii():
            found.extend((char, ink) for char in text)
            continue
        for char in text:
            size = cell_len(char)
            if size == 0 and found:
                found[-1] = (found[-1][0] + char, ink)
                continue
            found.append((char, ink))
            found.extend([("", ink)] * (size - 1))
    return found


def changed(before: Line, after: Line) -> list[tuple[int, int]]:
    """Runs [first, last) of cells that differ; wide characters are never split.

    >>> changed((("age 0.4 s", "dim"),), (("age 0.7 s", "dim"),))
    [(6, 7)]
    >>> changed((("中文", "x"),), (("中国", "x"),))
    [(2, 4)]
    """
    old, new = cells(before), cells(after)
    size = max(len(old), len(new))
    old += [(" ", "")] * (size - len(old))
    new += [(" ", "")] * (size - len(new))
    runs: list[tuple[int, int]] = []
    at = 0
    while at < size:
        if old[at] == new[at]:
            at += 1
            continue
        first = at
        while at < size and (old[at] != new[at] or new[at][0] == "" or old[at][0] == ""):
            at += 1
        while first > 0 and (new[first][0] == "" or old[first][0] == ""):
            first -= 1
        if runs and first - runs[-1][1] < JOIN:
            runs[-1] = (runs[-1][0], at)
        else:
            runs.append((first, at))
    return runs
