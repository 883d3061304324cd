"""A full screen with a list: a hand that moves through it, and a text that is looked for."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from cockpit.screens.desk import Desk
from cockpit.screens.full import FullScreen
from widgets.field import Field
from widgets.keybar import field_bar
from widgets.line import Line

Result = TypeVar("Result")


class ListScreen(FullScreen):
    """What the screens with a list share; the text filters the list unless a kind says otherwise."""

    NEEDS_SESSION = True
    WHAT = "filter"
    """What the text is for, in the bottom line."""
    ENTER = "keeps it"
    """What Enter does with it while it is typed."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.needle = Field()
        self.is_typing = False

    @property
    def scopes(self) -> tuple[str, ...]:
        """While a text is typed its keys are the field's."""
        return ("filter", "everywhere") if self.is_typing else super().scopes

    def typed(self, key: str, character: str | None) -> bool:
        """The field takes text while it is being typed."""
        return self.is_typing and self.needle.take(key, character)

    def key_line(self, width: int) -> Line:
        """The field while it is typed or holds a text, else the keys."""
        if self.is_typing:
            return field_bar(self.WHAT, self.needle, f"Enter {self.ENTER}   Esc clears it", width)
        if self.needle.text:
            return field_bar(self.WHAT, self.needle, self.kept(), width, is_active=False)
        return super().key_line(width)

    def kept(self) -> str:
        """What the bottom line says of a text that is kept."""
        return "/ changes it   Esc clears it"

    def looked_for(self) -> None:
        """The text has been typed, or cleared."""

    def move(self, step: int) -> None:
        """The hand, so many rows."""

    def action_stand(self, move: str, value: object = None) -> None:
        """Begin or end the text, go back, move; the same words as on the wall."""
        match move:
            case "filter":
                self.is_typing = bool(value)
                if not value:
                    self.looked_for()
            case "back" if self.is_typing or self.needle.text:
                self.is_typing, self.needle = False, Field()
                self.looked_for()
            case "back":
                self.leave()
                return
            case "move" if isinstance(value, int):
                self.move(value)
        self.draw()

    def leave(self) -> None:
        """Nothing left to undo here: to the wall."""
        self.action_go("overview")

    def when_done(self, future: Future[Result], then: Callable[[Result | None], None]) -> None:
        """Have it taken on the screen's thread; what went wrong is said, and then there is nothing to take."""

        def landed(done: Future[Result]) -> None:
            error = done.exception()
            if error is not None:
                self.hint(f"{error}")
            then(None if error is not None else done.result())

        future.add_done_callback(lambda done: self.desk.soon(landed, done))
