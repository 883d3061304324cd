"""One question with two answers, before something is done that no plan stands for."""

from __future__ import annotations

from cockpit.screens.desk import Desk
from cockpit.screens.hands import Hands
from cockpit.screens.sheet import Sheet
from widgets.guard_rows import dialog
from widgets.line import EMPTY, Line, both, line, wrapped


class AskScreen(Sheet[bool]):
    """Answers whether; only one key, pressed on purpose, means yes."""

    def __init__(self, desk: Desk, title: str, lines: tuple[str, ...], key: str, yes: str) -> None:
        super().__init__(desk)
        self._title = title
        self._lines = lines
        self._key = key
        self._yes = yes
        self._hands = Hands(desk.clock.monotonic())

    def rows(self) -> list[Line]:
        """The question and the two answers."""
        width = min(70, self.room[0])
        body = [line((each, "value")) for text in self._lines for each in wrapped(text, width - 4)]
        yes = line(
            (f" {self._key.capitalize() if len(self._key) > 1 else self._key} ", "block_warn"),
            (f"  {self._yes}", "strong"),
        )
        body += [EMPTY, both(yes, line(("[ Esc: no ]", "label")), width - 4)]
        return dialog(line((self._title, "title")), (), body, "border_selected", width)

    def press(self, key: str, character: str | None) -> None:
        """A deliberate yes, or no."""
        why = self._hands.why_not(key, self.desk.clock.monotonic(), is_confirming=key == self._key)
        if key == self._key and why is None:
            self.dismiss(True)
        elif key in ("escape", "q", "n", "ctrl+c"):
            self.dismiss(False)
