"""Being the second person: somebody else's plan, whole, and a deliberate yes or no to it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future

from cockpit.model.approval import Request
from cockpit.screens.desk import Desk
from cockpit.screens.guard import NOTES
from cockpit.screens.hands import Hands
from cockpit.screens.sheet import Sheet
from widgets.approval_rows import REFUSE, approval_rows
from widgets.field import Field
from widgets.line import Line

_SCROLLS = {"up": -1, "down": 1, "pageup": -8, "pagedown": 8}
MOST_SCROLLED = 60


class ApprovalScreen(Sheet[str]):
    """Answers what was done, in words, or nothing."""

    def __init__(self, desk: Desk, requests: Sequence[Request]) -> None:
        super().__init__(desk)
        self._requests = tuple(requests)
        self._at = 0
        self._typed, self._reason = Field(), Field()
        self._is_reason = False
        self._before = ("", "")
        self._is_sending = False
        self._note = ""
        self._scroll = 0
        self.hands = Hands(desk.clock.monotonic())

    @property
    def request(self) -> Request:
        """The one that is shown."""
        return self._requests[self._at]

    def rows(self) -> list[Line]:
        """The request with its plan."""
        texts = (self._typed.text, self._reason.text)
        count = (self._at + 1, len(self._requests))
        now = self.desk.clock.now()
        return approval_rows(self.request, texts, self._is_reason, count, self._note, now, self.room, self._scroll)

    def press(self, key: str, character: str | None) -> None:
        """A key means what it means only if a person meant it."""
        why = self.hands.why_not(key, self.desk.clock.monotonic())
        if self.hands.is_first:
            self._before = (self._typed.text, self._reason.text)
        if key == "escape":
            self.dismiss(None)
            return
        if key in _SCROLLS:
            self._scroll = max(0, min(self._scroll + _SCROLLS[key], MOST_SCROLLED))
        elif why is not None:
            if why == "fast":
                self._typed, self._reason = map(Field, self._before)
            self._note = NOTES[why]
        elif not self._is_sending:
            self._take(key, character)
        self.draw()

    def pasted(self, text: str) -> None:
        """Refused, and said so."""
        self._note = NOTES["pasted"]
        self.draw()

    def _take(self, key: str, character: str | None) -> None:
        self._note = ""
        if key == "enter":
            self._answer()
        elif key in ("tab", "shift+tab"):
            self._is_reason = not self._is_reason
        elif key in ("left", "right") and len(self._requests) > 1:
            self._at = (self._at + (1 if key == "right" else -1)) % len(self._requests)
            self._typed, self._reason, self._scroll = Field(), Field(), 0
            self.hands.startle(self.desk.clock.monotonic())
        else:
            (self._reason if self._is_reason else self._typed).take(key, character)

    def _answer(self) -> None:
        assert self.desk.session is not None
        seconds, request = self.desk.session.seconds, self.request
        phrase, reason = request.plan.phrase or "y", self._reason.text.strip()
        if self._typed.text == REFUSE:
            if not reason:
                self._is_reason, self._note = True, "Say why: it is shown to who asks."
                return
            self._send(seconds.refuse(request, reason), f"refused: {request.plan.title} of {request.by}")
        elif self._typed.text == phrase:
            self._send(seconds.approve(request, phrase), f"approved: {request.plan.title} of {request.by}")
        else:
            self._note = f"Type exactly: {phrase}, or {REFUSE}"

    def _send(self, future: Future[None], said: str) -> None:
        self._is_sending = True
        soon = self.desk.soon

        def landed(done: Future[None]) -> None:
            error = done.exception()
            soon(self._landed, said, "" if error is None else str(error) or type(error).__name__)

        future.add_done_callback(landed)

    def _landed(self, said: str, error: str) -> None:
        if not self.is_attached:
            return
        self._is_sending = False
        if error:
            self._note = error
            self.draw()
        else:
            self.dismiss(said)
