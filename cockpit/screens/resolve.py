"""Our word for a job that nobody knows the end of: done or not done, with the reason why we know."""

from __future__ import annotations

from cockpit.model.job import Job
from cockpit.screens.desk import Desk
from cockpit.screens.hands import Hands
from cockpit.screens.sheet import Sheet
from widgets.field import Field
from widgets.guard_rows import dialog
from widgets.line import EMPTY, Line, both, line, wrapped

CHOICES = ("done", "not done")


class ResolveScreen(Sheet[tuple[bool, str]]):
    """Answers whether it was done, and why; or nothing."""

    def __init__(self, desk: Desk, job: Job) -> None:
        super().__init__(desk)
        self._job = job
        self._hands = Hands(desk.clock.monotonic())
        self._choice: str | None = None
        self._reason = Field()
        self._note = ""

    def rows(self) -> list[Line]:
        """What is in doubt, the two words, the reason."""
        width = min(76, self.room[0])
        inner = width - 4
        body = [line((each, "value")) for each in wrapped(self._job.title, inner)]
        body += [line((each, "label")) for each in wrapped(self._job.error or "", inner)[:6]]
        body += [EMPTY, line("It was  ", *self._chosen(), ("   Left Right chooses", "dim")), EMPTY]
        body.append((("Reason  ", "label"), *self._reason.shown(inner - 8)))
        body += [line((each, "hint")) for each in wrapped(self._note, inner)]
        body += [
            EMPTY,
            both(
                line((" Enter ", "block_warn"), ("  gives our word", "strong")), line(("[ Esc: no ]", "label")), inner
            ),
        ]
        return dialog(line(("Resolve", "title")), line(("in doubt", "unknown")), body, "border_unknown", width)

    def _chosen(self) -> Line:
        spans: list[tuple[str, str]] = []
        for word in CHOICES:
            is_it = word == self._choice
            spans += [(f"[{'x' if is_it else ' '}] {word}", "picked" if is_it else "value"), ("   ", "text")]
        return tuple(spans)

    def press(self, key: str, character: str | None) -> None:
        """Choose, type, give the word."""
        why = self._hands.why_not(key, self.desk.clock.monotonic(), is_confirming=key == "enter")
        if key in ("escape", "ctrl+c"):
            self.dismiss(None)
            return
        if why is not None:
            self._note = "That key came too early or too fast: read first."
        elif key in ("left", "right", "tab", "shift+tab", "up", "down"):
            at = CHOICES.index(self._choice) if self._choice else (-1 if key in ("right", "tab", "down") else 0)
            self._choice, self._note = CHOICES[(at + (1 if key in ("right", "tab", "down") else -1)) % len(CHOICES)], ""
        elif key == "enter":
            self._enter()
        elif self._reason.take(key, character):
            self._note = ""
        if self.is_attached:
            self.draw()

    def pasted(self, text: str) -> None:
        """Refused, and said so."""
        self._note = "Pasted text does not count: type it."
        self.draw()

    def _enter(self) -> None:
        if self._choice is None:
            self._note = "Say first whether it was done: Left or Right chooses."
        elif not self._reason.text.strip():
            self._note = "Give a reason, how you know: it goes into the audit."
        else:
            self.dismiss((self._choice == CHOICES[0], self._reason.text.strip()))
