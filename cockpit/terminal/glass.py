"""What the terminal shows, as far as we know; an update becomes the bytes of the cells that differ from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from rich.color import ColorSystem
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.strip import Strip

from cockpit.terminal.cells import NOTHING, Cell, cells_of, mend, runs, without_lost_marks
from cockpit.terminal.pen import ink_of
from cockpit.terminal.sequence import Piece, pieces_of, written
from cockpit.terminal.spans import Spans
from widgets.canvas import Drawn
from widgets.line import Line

Pieces = list[tuple[int, Strip]]


class WholeRows(NamedTuple):
    """An update that is not the toolkit's: rows that nothing lies on."""

    rows: Sequence[Drawn]
    style: Callable[[str], Style]
    """What an ink looks like."""
    passes: Callable[[str], bool]
    """Whether a text may be sent as it is, one cell a character."""


class Row:
    """One line of the terminal: its strips by their column, and its cells once they are needed."""

    __slots__ = ("cells", "is_plain", "line", "strips")

    def __init__(self) -> None:
        self.line: Line | None = None
        """What the cells were made of, if they were made of a line."""
        self.strips: dict[int, Strip] = {}
        self.cells: list[Cell] | None = None
        self.is_plain = False
        """Whether each character is one cell: then no half of one is to be mended."""

    def known(self, width: int, colours: ColorSystem) -> list[Cell]:
        """The cells; built at the first comparison, so that a full picture costs nothing more."""
        if self.cells is None:
            self.cells = [NOTHING] * width
            self.is_plain = True
            for x, strip in self.strips.items():
                fresh, is_plain = cells_of(strip, colours)
                put(self.cells, x, fresh)
                self.is_plain = self.is_plain and is_plain
            if not self.is_plain:
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
        self._spans = Spans()

    def forget(self) -> None:
        """Nothing is known any more: after a resize, a pause, lost bytes."""
        self._rows = []

    def spoil(self, y: int) -> None:
        """A row has been written by somebody else."""
        if 0 <= y < len(self._rows):
            self._rows[y] = Row()

    def encode(self, update: object, size: tuple[int, int], colours: ColorSystem) -> str | None:
        """The bytes that bring the terminal up to date; None for a kind of update that is not known here."""
        lines: Iterator[tuple[int, Pieces]] = iter(())
        if isinstance(update, LayoutUpdate):
            lines = _lines(update)
        elif isinstance(update, ChopsUpdate):
            lines = _spans(update)
        elif not isinstance(update, WholeRows):
            return None
        width, height = size
        if self._width != width or len(self._rows) != height:
            self._width, self._rows = width, [Row() for _ in range(height)]
        pieces: list[Piece] = []
        for y, strips in lines:
            if 0 <= y < height:
                self._line(y, strips, colours, pieces)
        if isinstance(update, WholeRows):
            self._draw(update, colours, pieces)
        return written(pieces)

    def _draw(self, update: WholeRows, colours: ColorSystem, found: list[Piece]) -> None:
        if not self._spans.use(update.style, update.passes, colours):
            for row in self._rows:
                row.line = None
        for y, line, strip in update.rows:
            if 0 <= y < len(self._rows):
                row = self._rows[y]
                before = row.known(self._width, colours)
                after = self._spans.changed(row.line, before, line) if row.line is not None else None
                after = after or self._spans.whole(line, self._width)
                if after is None:
                    self._line(y, [(0, strip())], colours, found)
                    continue
                row.strips.clear()
                row.cells, row.is_plain, row.line = after, True, line
                for first, last in runs(before, after):
                    found.extend(pieces_of(y, first, after[first:last]))

    def _line(self, y: int, pieces: Pieces, colours: ColorSystem, found: list[Piece]) -> None:
        row = self._rows[y]
        fresh = [(x, strip) for x, strip in pieces if row.strips.get(x) is not strip and x < self._width]
        if not fresh:
            return
        if not row.strips and row.cells is None:
            # Nothing to compare with: as it comes, and taken apart only when there is.
            for x, strip in fresh:
                row.keep(x, strip)
                found.extend(_plainly(y, x, strip, colours))
            return
        before = row.known(self._width, colours)
        row.line = None
        after = before.copy()
        is_plain = row.is_plain
        for x, strip in fresh:
            cells, is_one_each = cells_of(strip, colours)
            put(after, x, cells)
            row.keep(x, strip)
            is_plain = is_plain and is_one_each
        if not is_plain:
            mend(after)
        row.cells, row.is_plain = after, is_plain
        for first, last in runs(before, after):
            found.extend(pieces_of(y, first, after[first:last]))


def _plainly(y: int, first: int, strip: Strip, colours: ColorSystem) -> Iterator[Piece]:
    x = first
    for segment in strip:
        # A mark whose letter a widget lies over belongs to nothing, and least of all to that widget.
        text = segment.text if x > first else without_lost_marks(segment.text)
        if text and not segment.control:
            width = segment.cell_length
            yield Piece(ink_of(segment.style, colours), y, x, width, text)
            x += width


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
