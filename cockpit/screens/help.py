"""The help sheet: every key, from the keymap."""

from __future__ import annotations

from cockpit.screens.desk import Desk
from cockpit.screens.sheet import Sheet
from widgets.help_rows import help_rows
from widgets.line import Line


class HelpScreen(Sheet[None]):
    """Scrolls; any other key closes it."""

    def __init__(self, desk: Desk, first: str) -> None:
        """`first` is the scope of the screen that it was asked for from."""
        super().__init__(desk)
        self._first = first
        self.scroll = 0

    def rows(self) -> list[Line]:
        """One page."""
        width, height = self.room
        return help_rows(min(150, width), height, self.scroll, self._first)

    def press(self, key: str, character: str | None) -> None:
        """Up and down, else close."""
        steps = {"up": -1, "k": -1, "down": 1, "j": 1, "pageup": -10, "pagedown": 10, "space": 10, "home": -999}
        if key not in steps:
            self.dismiss(None)
            return
        self.scroll = max(0, min(self.scroll + steps[key], 200))
        self.draw()
