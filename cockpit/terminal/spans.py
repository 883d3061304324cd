"""A row's cells from its line, past strips and segments: what did not change since the last line is not looked at."""

from __future__ import annotations

from collections.abc import Callable

from rich.color import ColorSystem
from rich.style import Style

from cockpit.terminal.cells import Cell, letters_of
from cockpit.terminal.pen import ink_of
from widgets.line import Line, Span

MOST = 4096
"""So many spans are remembered: figures come and go."""
REST: Span = (" ", "text")
"""What a short line is filled up with, as `pad` does it."""


class Spans:
    """The cells of spans in one look."""

    def __init__(self) -> None:
        self._look: tuple[Callable[[str], Style], Callable[[str], bool], ColorSystem] | None = None
        self._made: dict[Span, list[Cell] | None] = {}

    def use(self, style: Callable[[str], Style], passes: Callable[[str], bool], colours: ColorSystem) -> bool:
        """From now on inks look like this, and what `passes` is sent as it is; whether that was so before."""
        if self._look == (style, passes, colours):
            return True
        self._look = style, passes, colours
        self._made.clear()
        return False

    def changed(self, before: Line, cells: list[Cell], after: Line) -> list[Cell] | None:
        """The cells of the line after, given the one before and its cells; None where it has to be made as a whole."""
        if len(before) != len(after):
            return None
        found, at = cells.copy(), 0
        for old, new in zip(before, after, strict=True):
            end = at + len(old[0])
            if old is not new and old != new:
                fresh = self._cells(new)
                if fresh is None or len(fresh) != end - at:
                    return None
                found[at:end] = fresh
            at = end
        return found

    def whole(self, line: Line, width: int) -> list[Cell] | None:
        """The cells of a line; None where not all of it passes, or it is too long."""
        found: list[Cell] = []
        for span in line:
            fresh = self._cells(span)
            if fresh is None:
                return None
            found += fresh
        if len(found) < width:
            found += (self._cells(REST) or []) * (width - len(found))
        return found if len(found) == width else None

    def _cells(self, span: Span) -> list[Cell] | None:
        try:
            return self._made[span]
        except KeyError:
            if len(self._made) >= MOST:
                self._made.clear()
            made = self._made[span] = self._make(*span)
            return made

    def _make(self, text: str, ink: str) -> list[Cell] | None:
        if self._look is None:
            return None
        style, passes, colours = self._look
        if not passes(text):
            return None
        letters = letters_of(ink_of(style(ink), colours))
        return list(map(letters.__getitem__, text))
