"""Sends only the cells that changed: it remembers what is on the glass and compares every update with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.strip import Strip

JOIN = 4
"""Runs nearer than this are sent as one: moving the cursor costs as much."""
Cell = tuple[str, Style | None]
"""A character and its style; the second cell of a wide character is empty text."""
NOTHING: Cell = ("\0", None)
"""What is on a cell of which nothing is known: equal to nothing that is drawn."""


def cells_of(segments: Iterable[Segment]) -> list[Cell]:
    """One entry a cell."""
    found: list[Cell] = []
    for text, style, control in segments:
        if control:
            continue
        if text.isascii():
            found.extend([(char, style) for char in text])
            continue
        for char in text:
            size = cell_len(char)
            if size == 1:
                found.append((char, style))
            elif size == 0:
                if found:
                    found[-1] = (found[-1][0] + char, style)
            else:
                found.append((char, style))
                found.extend([("", style)] * (size - 1))
    return found


def runs(before: list[Cell], after: list[Cell]) -> Iterator[tuple[int, int]]:
    """Where the two differ, as [first, last); near ones joined, wide characters whole."""
    first = last = -1
    for at, (old, new) in enumerate(zip(before, after, strict=True)):
        if old is new or (old[0] == new[0] and (old[1] is new[1] or old[1] == new[1])):
            continue
        if first >= 0 and at - last < JOIN:
            last = at + 1
            continue
        if first >= 0:
            yield _whole(before, after, first, last)
        first, last = at, at + 1
    if first >= 0:
        yield _whole(before, after, first, last)


def _whole(before: list[Cell], after: list[Cell], first: int, last: int) -> tuple[int, int]:
    while first > 0 and (after[first][0] == "" or before[first][0] == ""):
        first -= 1
    while last < len(after) and (after[last][0] == "" or before[last][0] == ""):
        last += 1
    return first, last


class Glass:
    """What the terminal shows, as far as we know."""

    def __init__(self) -> None:
        self._rows: list[list[Cell]] = []
        self._width = 0
        self._style: Style | None = None

    def forget(self) -> None:
        """Nothing is known any more: after a resize, a resume, a dropped frame."""
        self._rows = []

    def encode(self, update: object, size: tuple[int, int], colours: ColorSystem) -> str | None:
        """The bytes that bring the terminal up to date; None for a kind of update that is not known here."""
        if isinstance(update, LayoutUpdate):
            region = update.region
            pieces = [
                (y, region.x, [segment for strip in line for segment in strip])
                for y, line in enumerate(update.strips, region.y)
            ]
        elif isinstance(update, ChopsUpdate):
            pieces = list(_spans(update))
        else:
            return None
        self._fit(*size)
        parts: list[str] = []
        self._style = None
        for y, x, segments in pieces:
            if 0 <= y < len(self._rows):
                self._row(y, x, cells_of(segments), colours, parts)
        if parts:
            parts.append("\x1b[0m")
        return "".join(parts)

    def _fit(self, width: int, height: int) -> None:
        if self._width != width or len(self._rows) != height:
            self._width = width
            self._rows = [[NOTHING] * width for _ in range(height)]

    def _row(self, y: int, x: int, fresh: list[Cell], colours: ColorSystem, parts: list[str]) -> None:
        row = self._rows[y]
        fresh = fresh[: len(row) - x]
        known = row[x : x + len(fresh)]
        cursor = -1
        for first, last in runs(known, fresh):
            step = x + first - cursor
            parts.append(f"\x1b[{step}C" if cursor >= 0 else f"\x1b[{y + 1};{x + first + 1}H")
            self._write(fresh[first:last], colours, parts)
            cursor = x + last
        row[x : x + len(fresh)] = fresh

    def _write(self, run: list[Cell], colours: ColorSystem, parts: list[str]) -> None:
        for char, style in run:
            if not char:
                continue
            if style is not self._style and style != self._style:
                parts.append(f"\x1b[0;{_sgr(style, colours)}m" if style else "\x1b[0m")
                self._style = style
            parts.append(char)


def _sgr(style: Style, colours: ColorSystem) -> str:
    return style._ansi if style._ansi is not None else Strip.render_ansi(style, colours)


def _spans(update: ChopsUpdate) -> Iterator[tuple[int, int, list[Segment]]]:
    """The parts of the lines that the update touches."""
    for y, first, last in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is None or x >= last or end <= first:
                continue
            yield y, x, list(strip)
