"""Asked only while jobs run: leave? They go on without the cockpit."""

from __future__ import annotations

from cockpit.screens.desk import Desk
from cockpit.screens.hands import Hands
from cockpit.screens.sheet import Sheet
from widgets.figures import plural
from widgets.guard_rows import dialog
from widgets.line import EMPTY, Line, both, line


class LeaveScreen(Sheet[bool]):
    """Answers whether to leave."""

    def __init__(self, desk: Desk, running: int) -> None:
        super().__init__(desk)
        self._jobs = running
        self._hands = Hands(desk.clock.monotonic())

    def rows(self) -> list[Line]:
        """What goes on, and the two answers."""
        width = min(64, self.room[0])
        go_on = "goes on" if self._jobs == 1 else "go on"
        body = [
            line((f"{plural(self._jobs, 'job')} {go_on} without the cockpit; open it again to see.", "value")),
            EMPTY,
            both(line((" y ", "block_warn"), ("  leave", "strong")), line(("[ Stay ]", "picked")), width - 4),
        ]
        return dialog(line(("Leave", "title")), (), body, "border_selected", width)

    def press(self, key: str, character: str | None) -> None:
        """Only a deliberate y leaves."""
        why = self._hands.why_not(key, self.desk.clock.monotonic(), is_confirming=key == "y")
        if key == "y" and why is None:
            self.dismiss(True)
        elif key in ("escape", "enter", "n", "q") and why is None:
            self.dismiss(False)
