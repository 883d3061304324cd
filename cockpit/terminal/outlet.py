"""Between the toolkit's compositor and the driver: the changed cells, one write a frame, none to a deaf terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rich.color import ColorSystem
from rich.style import Style
from textual._ansi_sequences import SYNC_END, SYNC_START
from textual.app import App
from textual.screen import Screen

from cockpit.terminal import seams
from cockpit.terminal.gate import GateFilter
from cockpit.terminal.glass import Glass, WholeRows
from widgets.canvas import Drawn

STILL = " STANDS STILL: the terminal does not answer. Any key draws it anew. "
"""Told on the last row."""


def _always() -> bool:
    return True


class Outlet:
    """Shows updates by their changed cells; where it cannot, the toolkit does it in its own way."""

    def __init__(self) -> None:
        self._glass = Glass()
        self._has_cursor = self._has_told = False
        self.why_not: str | None = ", ".join(seams.missing()) or None
        """Why updates are left to the toolkit; None while they are not."""

    def forget(self) -> None:
        """Nothing is known of the terminal any more."""
        self._glass.forget()

    def show(self, app: App[Any], screen: Screen[Any], update: object) -> bool:
        """Whether it has been dealt with; if not, the toolkit has to."""
        if self.why_not is not None:
            return False
        gone = seams.missing_in(app)
        if gone:
            self.why_not = ", ".join(gone)
            return False
        driver = app._driver
        if update is None or driver is None or app._batch_count or not app._running or app._closed or app.is_headless:
            return False
        if app.is_inline:
            return False
        # A frame withheld is not lost: once the terminal has read the others, one picture of the present follows.
        has_room: Callable[[], bool] = getattr(driver, "has_room", _always)
        if not has_room():
            if not self._has_told and getattr(driver, "is_silent", False):
                self._has_told = True
                self._tell(screen.outer_size.width, screen.outer_size.height, driver.write)
            return True
        self._has_told = False
        return self._send(app, screen, update, driver.write)

    def _tell(self, width: int, height: int, write: Callable[[str], None]) -> None:
        self._glass.spoil(height - 1)
        write(f"\x1b[{height};1H\x1b[1;7m{STILL[:width].ljust(width)}\x1b[0m")

    def show_rows(
        self, app: App[Any], screen: Screen[Any], rows: Sequence[Drawn], style: Callable[[str], Style]
    ) -> bool:
        """Whether these rows have been dealt with.

        Not while anything lies on the screen, or the toolkit has still something to draw: it knows in which order. Not
        where another filter than our gate has a say.
        """
        if app.screen is not screen or seams.missing_in(app) or seams.missing_in_screen(screen):
            return False
        if app._notifications or screen._compositor._dirty_regions:
            return False
        if any(getattr(screen, each) for each in seams.UNSETTLED):
            return False
        match app.get_line_filters():
            case [GateFilter() as gate]:
                return self.show(app, screen, WholeRows(rows, style, gate.passes))
        return False

    def _send(self, app: App[Any], screen: Screen[Any], update: object, write: Callable[[str], None]) -> bool:
        try:
            size = screen.outer_size
            sequence = self._glass.encode(update, size, app.console._color_system or ColorSystem.TRUECOLOR)
        except (AttributeError, TypeError, ValueError, IndexError, KeyError) as error:
            # The toolkit is not as this was written for.
            self.why_not = f"{type(error).__name__}: {error}"
            return False
        if sequence is None:
            self._glass.forget()
            return False
        x, y = size.clamp_offset(app.cursor_position)
        if sequence and (self._has_cursor or (x, y) != (0, 0)):
            # It is hidden, but input methods and magnifiers go by it.
            sequence += f"\x1b[{y + 1};{x + 1}H"
            self._has_cursor = True
        if sequence:
            write(f"{SYNC_START}{sequence}{SYNC_END}" if app._sync_available else sequence)
        return True
