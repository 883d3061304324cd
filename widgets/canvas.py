"""The one kind of widget for live data: lines in, cached strips out, only changed rows drawn again."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from themes.look import Look
from themes.night import NIGHT
from widgets.line import EMPTY, Line, pad
from widgets.printable import safe


class Canvas(Widget):
    """Draws lines; whoever owns it calls `paint`."""

    DEFAULT_CSS = "Canvas { width: 100%; height: 100%; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._look = NIGHT
        self._lines: list[Line] = []
        self._strips: list[Strip] = []

    def paint(self, lines: Sequence[Line], look: Look) -> None:
        """Show these lines; rows that stay the same are left alone."""
        width, height = self.size
        fresh = [pad(safe(each), width) for each in lines[:height]]
        fresh.extend([pad(EMPTY, width)] * (height - len(fresh)))
        if look is not self._look or len(fresh) != len(self._lines):
            self._look = look
            self._lines = fresh
            self._strips = [self._strip(each) for each in fresh]
            self.refresh()
            return
        dirty: list[Region] = []
        for y, after in enumerate(fresh):
            if after != self._lines[y]:
                self._lines[y] = after
                self._strips[y] = self._strip(after)
                dirty.append(Region(0, y, width, 1))
        if dirty:
            # Whole rows: which cells of them are sent is decided where the bytes are made.
            self.refresh(*dirty, layout=False)

    def _strip(self, spans: Line) -> Strip:
        style = self._look.style
        return Strip([Segment(text, style(ink)) for text, ink in spans], self.size.width)

    def render_line(self, y: int) -> Strip:
        """The cached strip of one row."""
        if y < len(self._strips):
            return self._strips[y]
        return Strip([Segment(" " * self.size.width, self._look.base)], self.size.width)

    @property
    def text(self) -> str:
        """What is shown, for tests and for copying."""
        return "\n".join("".join(text for text, _ in each).rstrip() for each in self._lines)
