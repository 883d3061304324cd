"""What the terminal shows, as far as we know; an update becomes the bytes of the cells that differ from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.color import ColorSystem
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.strip import Strip

from cockpit.terminal.cells import NOTHING, Cell, cells_of, mend, runs
from cockpit.terminal.pen import PLAIN, Ink, change

Pieces = list[tuple[int, Strip]]


class Row:
    """One line of the terminal: its strips by their column, and its cells once they are needed."""

    __slots__ = ("cells", "strips")

    def __init__(self) -> None:
        self.strips: dict[int, Strip] = {}
        self.cells: list[Cell] | None = None

    def known(self, width: int, colours: ColorSystem) -> list[Cell]:
        """The cells; built at the first comparison, so that a full picture costs nothing more."""
        if self.cells is None:
            self.cells = [NOTHING] * width
            for x, strip in self.strips.items():
                put(self.cells, x, cells_of(strip, colours))
            mend(self.cells)
        return self.cells

    def keep(self, x: int, strip: Strip) -> None:
        """Remember a strip and forget those that it covers."""
        end = x + strip.cell_length
        for at, old in list(self.strips.items()):
            if at < end and x < at + old.cell_length:
                del self.strips[at]
        self.strips[x] = strip


def put(row: list[Cell], x: int, fresh: list[Cell]) -> None:
    """Overwrite from column x; what does not fit is cut off."""
    fresh = fresh[: max(0, len(row) - x)]
    row[x : x + len(fresh)] = fresh


class Glass:
    """The terminal's rows."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._width = 0
        self._pen: Ink = PLAIN

    def forget(self) -> None:
        """Nothing is known any more: after a resize, a pause, lost bytes."""
        self._rows = []

    def encode(self, update: object, size: tuple[int, int], colours: ColorSystem) -> str | None:
        """The bytes that bring the terminal up to date; None for a kind of update that is not known here."""
        if isinstance(update, LayoutUpdate):
            lines = _lines(update)
        elif isinstance(update, ChopsUpdate):
            lines = _spans(update)
        else:
            return None
        width, height = size
        if self._width != width or len(self._rows) != height:
            self._width, self._rows = width, [Row() for _ in range(height)]
        parts: list[str] = []
        self._pen = PLAIN
        for y, pieces in lines:
            if 0 <= y < height:
                self._line(y, pieces, colours, parts)
        parts.append(change(self._pen, PLAIN))
        return "".join(parts)

    def _line(self, y: int, pieces: Pieces, colours: ColorSystem, parts: list[str]) -> None:
        row = self._rows[y]
        fresh = [(x, strip) for x, strip in pieces if row.strips.get(x) is not strip and x < self._width]
        if not fresh:
            return
        before = row.known(self._width, colours)
        after = before.copy()
        for x, strip in fresh:
            put(after, x, cells_of(strip, colours))
            row.keep(x, strip)
        mend(after)
        row.cells = after
        column = -1
        for first, last in runs(before, after):
            parts.append(f"\x1b[{y + 1};{first + 1}H" if column < 0 else _step(column, first, after))
            self._write(after[first:last], parts)
            column = last

    def _write(self, run: list[Cell], parts: list[str]) -> None:
        pen = self._pen
        for char, ink in run:
            if char and ink is not None:
                if ink is not pen:
                    parts.append(change(pen, ink))
                    pen = ink
                parts.append(char)
        self._pen = pen


def _step(column: int, to: int, after: list[Cell]) -> str:
    """To the right; by its number where terminals may disagree about the width of what was written."""
    if after[column - 1][0].isascii() and after[column - 1][0]:
        return f"\x1b[{to - column}C" if to - column > 1 else "\x1b[C"
    return f"\x1b[{to + 1}G"


def _lines(update: LayoutUpdate) -> Iterator[tuple[int, Pieces]]:
    for y, line in enumerate(update.strips, update.region.y):
        yield y, list(_placed(update.region.x, line))


def _placed(x: int, line: Iterable[Strip]) -> Iterator[tuple[int, Strip]]:
    for strip in line:
        yield x, strip
        x += strip.cell_length


def _spans(update: ChopsUpdate) -> Iterator[tuple[int, Pieces]]:
    """The strips that the update touches, whole: all cells of one are covered by the same widgets."""
    for y, first, last in update.spans:
        line = zip(update.chop_ends[y], update.chops[y].items(), strict=False)
        yield y, [(x, strip) for end, (x, strip) in line if strip is not None and x < last and end > first]
