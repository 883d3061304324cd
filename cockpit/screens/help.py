"""The help sheet: every key, from the keymap."""

from __future__ import annotations

from cockpit.screens.desk import Desk
from cockpit.screens.sheet import Sheet
from widgets.field import Field
from widgets.help_rows import help_pages, help_rows
from widgets.line import Line

WIDEST = 200
_TURNS = {
    "down": 1, "j": 1, "right": 1, "pagedown": 1, "space": 1,
    "up": -1, "k": -1, "left": -1, "pageup": -1, "backspace": -1,
    "home": -999, "end": 999,
}  # fmt: skip


class HelpScreen(Sheet[None]):
    """Turned like a book, and looked through for a text; any other key closes it."""

    def __init__(self, desk: Desk, first: str) -> None:
        """`first` is the scope of the screen that it was asked for from."""
        super().__init__(desk)
        self._first = first
        self.page = 0
        self.needle: Field | None = None

    def rows(self) -> list[Line]:
        """One page."""
        width, height = self._most
        return help_rows(width, height, self.page, self._first, self.needle)

    @property
    def _most(self) -> tuple[int, int]:
        width, height = self.room
        return min(WIDEST, width), height

    def press(self, key: str, character: str | None) -> None:
        """Turn the page, look for a text, else close."""
        if self.needle is not None and self._typed(self.needle, key, character):
            self.page = 0
        elif key == "slash":
            self.needle, self.page = Field(), 0
        elif key in _TURNS:
            width, height = self._most
            pages = help_pages(width - 4, height - 2, self._first, self.needle.text if self.needle else "")
            self.page = max(0, min(min(self.page, len(pages) - 1) + _TURNS[key], len(pages) - 1))
        else:
            self.dismiss(None)
            return
        self.draw()

    def _typed(self, needle: Field, key: str, character: str | None) -> bool:
        """Whether the key was for the text that is looked for."""
        if key == "escape":
            self.needle = None
        return key in ("escape", "enter") or needle.take(key, character)
