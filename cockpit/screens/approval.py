"""Being the second person: somebody else's wish, planned by our own cockpit, and a deliberate yes or no to it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future

from cockpit.model.approval import Consent, Look, Request
from cockpit.screens.desk import Desk
from cockpit.screens.guard import NOTES, OVERRIDES, REFRESH_S
from cockpit.screens.hands import Hands
from cockpit.screens.sheet import Sheet
from widgets.approval_rows import REFUSE, Given, approval_rows
from widgets.field import Field
from widgets.line import Line

_SCROLLS = {"up": -1, "down": 1, "pageup": -8, "pagedown": 8}
MOST_SCROLLED = 60
NO_LOOK = "our own cockpit has not looked at it yet"


class ApprovalScreen(Sheet[str]):
    """Answers what was done, in words, or nothing."""

    def __init__(self, desk: Desk, requests: Sequence[Request]) -> None:
        super().__init__(desk)
        self._requests = tuple(requests)
        self._at = 0
        self._look: Look | None = None
        self._is_looking = False
        self._typed, self._reason = Field(), Field()
        self._is_reason = False
        self._overrides: tuple[str, ...] = ()
        self._before = ("", "")
        self._is_sending = False
        self._note = ""
        self._scroll = 0
        self.hands = Hands(desk.clock.monotonic())

    @property
    def request(self) -> Request:
        """The one that is shown."""
        return self._requests[self._at]

    def on_mount(self) -> None:
        """Plan it ourselves, and go on: evidence ages while somebody reads."""
        super().on_mount()
        self._look_again()
        self.set_interval(REFRESH_S, self._look_again)

    def rows(self) -> list[Line]:
        """The request with our own plan of it."""
        count = (self._at + 1, len(self._requests))
        given = Given(self._typed.text, self._reason.text, self._is_reason, count, self._note, self._overrides)
        assert self.desk.world is not None
        place = (self.desk.world, self.desk.site)
        return approval_rows(self.request, self._look, given, place, self.desk.clock.now(), self.room, self._scroll)

    # our own plan

    def _look_again(self) -> None:
        if self._is_looking or self._is_sending or self.desk.session is None:
            return
        self._is_looking = True
        request = self.request
        self.when_done(self.desk.session.seconds.look(request), lambda look, error: self._seen(request, look, error))

    def _seen(self, request: Request, look: Look | None, error: str) -> None:
        self._is_looking = False
        if self._is_sending:
            return
        if request.id != self.request.id:
            self._look_again()
            return
        look = look or Look(request.id, None, (error,))
        before, self._look = self._look, look
        if before is None or _act(before) != _act(look):
            # What is typed is typed for what was read.
            self.hands.startle(self.desk.clock.monotonic())
            self._typed, self._overrides = Field(), ()
            self._note = "What would be done has changed: read it again." if before is not None else ""
        self.draw()

    # the answer

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
        elif key == OVERRIDES:
            self._override()
        elif key in ("left", "right") and len(self._requests) > 1:
            self._at = (self._at + (1 if key == "right" else -1)) % len(self._requests)
            self._typed, self._reason, self._scroll, self._look = Field(), Field(), 0, None
            self._overrides = ()
            self.hands.startle(self.desk.clock.monotonic())
            self._look_again()
        else:
            (self._reason if self._is_reason else self._typed).take(key, character)

    def _override(self) -> None:
        """The checks that fail here, where every one of them may be."""
        failing = self._look.forbidding(self.request) if self._look is not None else ()
        if failing and all(check.is_overridable for check in failing):
            self._overrides = tuple(check.name for check in failing)

    def _answer(self) -> None:
        assert self.desk.session is not None
        seconds, request, look = self.desk.session.seconds, self.request, self._look
        reason = self._reason.text.strip()
        if self._typed.text == REFUSE:
            if not reason:
                self._is_reason, self._note = True, "Say why: it is shown to who asks."
                return
            title = request.plan.action if look is None or look.plan is None else look.plan.title
            self._send(seconds.refuse(request, reason), f"refused: {title} of {request.by}")
        elif look is None or look.plan is None or not look.may_approve:
            why = NO_LOOK if look is None else look.against[0]
            self._note = f"It cannot be approved here: {why}"
        elif forbidding := look.forbidding(request, self._overrides):
            self._note = f"Refused on our own look, and so is the yes: {forbidding[0].name}: {forbidding[0].detail}"
        elif self._typed.text == look.phrase and look.overridden(request, self._overrides) and not reason:
            self._is_reason, self._note = True, "Say why you override it: it stands beside the approval."
        elif self._typed.text == look.phrase:
            consent = Consent(look.phrase, self._overrides, reason)
            self._send(seconds.approve(request, consent), f"approved: {look.plan.title} of {request.by}")
        else:
            self._note = f"Type exactly: {look.phrase}, or {REFUSE}"

    def _send(self, future: Future[None], said: str) -> None:
        self._is_sending = True
        self.when_done(future, lambda _, error: self._sent(said, error))

    def _sent(self, said: str, error: str) -> None:
        self._is_sending = False
        if error:
            self._note = error
            self.draw()
        else:
            self.dismiss(said)


def _act(look: Look) -> tuple[str, bool]:
    """What would be done by it, and whether it may be approved."""
    return ("" if look.plan is None else look.plan.digest, look.may_approve)
