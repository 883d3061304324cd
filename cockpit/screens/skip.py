"""Asked before a step of a walk is left undone."""

from __future__ import annotations

from cockpit.screens.desk import Desk
from cockpit.screens.hands import Hands
from cockpit.screens.sheet import Sheet
from widgets.guard_rows import dialog
from widgets.line import EMPTY, Line, both, line, wrapped


class SkipScreen(Sheet[bool]):
    """Answers whether to skip."""

    def __init__(self, desk: Desk, where: str, title: str) -> None:
        super().__init__(desk)
        self._where = where
        self._title = title
        self._hands = Hands(desk.clock.monotonic())

    def rows(self) -> list[Line]:
        """Which step, and the two answers."""
        width = min(64, self.room[0])
        body = [
            *(line((each, "label")) for each in wrapped(self._where, width - 4)),
            *(line((each, "value")) for each in wrapped(f"Go on without: {self._title}?", width - 4)),
            EMPTY,
            both(
                line((" Enter ", "block_warn"), ("  skips it", "strong")),
                line(("[ Esc keeps it ]", "label")),
                width - 4,
            ),
        ]
        return dialog(line(("Skip a step", "title")), (), body, "border_selected", width)

    def press(self, key: str, character: str | None) -> None:
        """Only a deliberate Enter skips."""
        why = self._hands.why_not(key, self.desk.clock.monotonic(), is_confirming=key == "enter")
        if key == "enter" and why is None:
            self.dismiss(True)
        elif key in ("escape", "n", "q", "ctrl+c"):
            self.dismiss(False)
