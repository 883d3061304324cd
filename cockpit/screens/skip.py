"""Asked before a walk goes on without a step, or with one that is not proven."""

from __future__ import annotations

from cockpit.screens.desk import Desk
from cockpit.screens.hands import Hands
from cockpit.screens.sheet import Sheet
from widgets.guard_rows import dialog
from widgets.line import EMPTY, Line, both, line, wrapped


class SkipScreen(Sheet[bool]):
    """Answers whether to go on."""

    def __init__(self, desk: Desk, where: str, question: str) -> None:
        super().__init__(desk)
        self._where = where
        self._question = question
        self._hands = Hands(desk.clock.monotonic())

    def rows(self) -> list[Line]:
        """Which step, and the two answers."""
        width = min(64, self.room[0])
        body = [
            *(line((each, "label")) for each in wrapped(self._where, width - 4)),
            *(line((each, "value")) for each in wrapped(self._question, width - 4)),
            EMPTY,
            both(
                line((" Enter ", "block_warn"), ("  goes on", "strong")),
                line(("[ Esc stays ]", "label")),
                width - 4,
            ),
        ]
        return dialog(line(("Go on", "title")), (), body, "border_selected", width)

    def press(self, key: str, character: str | None) -> None:
        """Only a deliberate Enter goes on."""
        why = self._hands.why_not(key, self.desk.clock.monotonic(), is_confirming=key == "enter")
        if key == "enter" and why is None:
            self.dismiss(True)
        elif key in ("escape", "n", "q", "ctrl+c"):
            self.dismiss(False)
