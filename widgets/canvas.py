"""The one kind of widget for live data: lines in, cached strips out, only changed rows drawn again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from themes.look import Look
from themes.night import NIGHT
from widgets.line import EMPTY, Line, merged, pad
from widgets.printable import safe

_NEVER: Line = (("\0", ""),)
"""Equal to no line that anybody gives."""


Ask = Callable[[int, int], tuple[Sequence[Line], Look]]
"""The lines for a size that nobody has painted yet: the first frame, and each after a resize, is complete."""


class Row(Strip):
    """A strip that remembers nothing of being shown whole.

    The toolkit's own then keeps itself as its only piece: a circle of some twenty objects for the collector, whose
    looking for them holds up keys.
    """

    def divide(self, cuts: Iterable[int]) -> Sequence[Strip]:
        """Cut at these cells."""
        cuts = list(cuts)
        return [self] if cuts == [self.cell_length] else super().divide(cuts)


class Drawn(NamedTuple):
    """One row of the screen, for whoever shows it past the toolkit."""

    y: int
    line: Line
    """As it was given: it may be too long or too short, and hold anything."""
    strip: Callable[[], Strip]
    """As it may be shown."""


class Canvas(Widget):
    """Draws lines; whoever owns it calls `paint`."""

    DEFAULT_CSS = "Canvas { width: 100%; height: 100%; }"

    def __init__(self, *, id: str | None = None, ask: Ask | None = None) -> None:
        super().__init__(id=id)
        self._ask = ask
        self._look = NIGHT
        self._width = 0
        self._given: list[Line] = []
        self._lines: list[Line | None] = []
        """Per row, its line as it may be shown; None where it has to be made."""
        self._shown: list[Strip | None] = []
        """Per row, its strip as it may be shown; None where it has to be made."""
        self._filters: Sequence[LineFilter] = ()

    def paint(self, lines: Sequence[Line], look: Look) -> None:
        """Show these lines; rows that stay the same are left alone."""
        self.show(self.take(lines, look))

    def show(self, rows: Sequence[int] | None) -> None:
        """Have the toolkit draw these rows, None: all of them."""
        if rows is None:
            self.refresh()
        elif rows:
            # Whole rows: which cells of them are sent is decided where the bytes are made.
            self.refresh(*(Region(0, y, self._width, 1) for y in rows), layout=False)

    def drawn(self, rows: Sequence[int]) -> list[Drawn] | None:
        """These rows for who shows them past the toolkit; None where they are not rows of the screen."""
        if not rows:
            return []
        left, top, width, _ = self.region
        if left or width != self._width or width != self.app.size.width:
            return None
        return [Drawn(top + y, self._given[y], partial(self._strip, y)) for y in rows]

    def take(self, lines: Sequence[Line], look: Look) -> list[int] | None:
        """Keep them without showing them; the rows that changed, None where all did."""
        width, height = self.size
        fresh = [*lines[:height], *[EMPTY] * (height - len(lines))]
        is_all = look is not self._look or len(fresh) != len(self._given) or width != self._width
        if is_all:
            self._look, self._width = look, width
            self._given = [_NEVER] * height
            self._lines = [None] * height
            self._shown = [None] * height
        dirty: list[int] = []
        for y, after in enumerate(fresh):
            if after != self._given[y]:
                # Compared as given: making a line safe and padding it cost more than the comparison.
                self._given[y] = after
                self._lines[y] = self._shown[y] = None
                dirty.append(y)
        return None if is_all else dirty

    def render_lines(self, crop: Region) -> list[Strip]:
        """The cached strips, filtered once; the toolkit's own cache filters and measures every row at every paint."""
        if self._ask is not None and self.size != (self._width, len(self._given)):
            self.take(*self._ask(*self.size))
        strips = self._strips(crop.line_range)
        first, last = crop.column_span
        return strips if (first, last) == (0, self.size.width) else [strip.crop(first, last) for strip in strips]

    def _strip(self, y: int) -> Strip:
        return self._strips((y,))[0]

    def _strips(self, rows: Iterable[int]) -> list[Strip]:
        filters = self.get_line_filters()
        if filters != self._filters:
            self._filters, self._shown = filters, [None] * len(self._shown)
        width, background = self.size.width, None
        strips: list[Strip] = []
        for y in rows:
            known = self._shown[y] if y < len(self._shown) else None
            if known is None:
                # The toolkit works it out from all that the canvas is in: once for all rows.
                background = background or self.background_colors[1]
                known = self._filtered(y, width, background)
            strips.append(known)
        return strips

    def _filtered(self, y: int, width: int, background: Color) -> Strip:
        """One row as it may be shown; a strip is dear (it has seven caches), so that a change makes just one."""
        segments = self._segments(y)
        for each in self._filters:
            segments = each.apply(segments, background)
        strip = Row(segments, width)
        if y < len(self._shown):
            self._shown[y] = strip
        return strip

    def _segments(self, y: int) -> list[Segment]:
        if y >= len(self._lines):
            return [Segment(" " * self.size.width, self._look.base)]
        style = self._look.style
        return [Segment(text, style(ink)) for text, ink in self._line(y)]

    def _line(self, y: int) -> Line:
        found = self._lines[y]
        if found is None:
            found = self._lines[y] = merged(pad(safe(self._given[y]), self._width))
        return found

    def render_line(self, y: int) -> Strip:
        """One row, unfiltered."""
        return Strip(self._segments(y), self.size.width)

    @property
    def text(self) -> str:
        """What is shown, for tests and for copying."""
        return "\n".join("".join(text for text, _ in self._line(y)).rstrip() for y in range(len(self._lines)))
