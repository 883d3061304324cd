"""Asks what a step is to be taken on, before its dialog; choosing changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from types import MappingProxyType

from textual.app import App

from cockpit.model.action import ActionSpec
from cockpit.model.choice import Choice
from cockpit.model.job import Job
from cockpit.screens.desk import Desk
from cockpit.screens.guard import GuardScreen
from cockpit.screens.sheet import Sheet
from widgets.choose_rows import choose_rows, matching
from widgets.field import Field
from widgets.line import Line

NOTHING: Mapping[str, str] = MappingProxyType({})
Answered = Callable[[Job | None], None]


def open_step(
    app: App[object],
    desk: Desk,
    step: ActionSpec,
    then: Answered | None = None,
    chosen: Mapping[str, str] = NOTHING,
) -> None:
    """The step's dialog, after what its row leaves open and is not chosen yet."""
    parameter = next((name for name in step.asks if name not in chosen), None)
    is_only_if_several = parameter is None and step.selects != "" and step.selects not in chosen
    if is_only_if_several:
        parameter = step.selects
    if parameter is None:
        app.push_screen(GuardScreen(desk, step, chosen), then)
        return

    def answered(choice: Choice | None) -> None:
        if choice is not None:
            open_step(app, desk, step, then, {**chosen, choice.name: choice.value})
        elif then is not None:
            then(None)

    app.push_screen(ChooseScreen(desk, step, parameter, chosen, is_only_if_several), answered)


class ChooseScreen(Sheet[Choice]):
    """Answers what was chosen, or nothing."""

    def __init__(
        self, desk: Desk, step: ActionSpec, parameter: str, chosen: Mapping[str, str], is_only_if_several: bool = False
    ) -> None:
        """`is_only_if_several`: with less than two there is nothing to choose, and the dialog says what is wrong."""
        super().__init__(desk)
        self.is_only_if_several = is_only_if_several
        self.step = step
        self.parameter = parameter
        self.chosen = dict(chosen)
        self.needle = Field()
        self.picked: str | None = None
        """By value: the list may change while somebody reads."""
        self.choices: tuple[Choice, ...] | None = None
        self.error = ""
        self._is_asking = False

    def on_mount(self) -> None:
        """Ask at once."""
        super().on_mount()
        self._ask()

    def tick(self) -> None:
        """How things stand changes."""
        self._ask()
        super().tick()

    @property
    def matches(self) -> tuple[Choice, ...]:
        """What begins with, or else holds, the letters that were typed."""
        return matching(self.choices or (), self.needle.text)

    @property
    def at(self) -> int:
        """The row that the hand is on."""
        return next((index for index, one in enumerate(self.matches) if one.value == self.picked), 0)

    def rows(self) -> list[Line]:
        """The list."""
        width, height = self.room
        title = " › ".join([self.step.title, *self.chosen.values(), self.parameter])
        note = self.error or ("looking …" if self.choices is None else "")
        return choose_rows(
            title, self.parameter, self.matches, self.needle, self.at, note, min(84, width), min(20, height)
        )

    def press(self, key: str, character: str | None) -> None:
        """Type, go up and down, take."""
        matches = self.matches
        if key in ("escape", "ctrl+c"):
            self.dismiss(None)
        elif key == "enter":
            if matches:
                self.dismiss(matches[self.at])
        elif key in ("up", "down", "tab", "shift+tab"):
            step = 1 if key in ("down", "tab") else -1
            if matches:
                self.picked = matches[max(0, min(self.at + step, len(matches) - 1))].value
        elif self.needle.take(key, character):
            self.picked = None
        if self.is_attached:
            self.draw()

    def _ask(self) -> None:
        if self.desk.session is None or self._is_asking:
            return
        self._is_asking = True
        soon = self.desk.soon

        def landed(done: Future[tuple[Choice, ...]]) -> None:
            error = done.exception()
            soon(self._told, None if error else done.result(), "" if error is None else str(error))

        asked = self.desk.session.choices(self.step.step, self.parameter, dict(self.chosen))
        asked.add_done_callback(landed)

    def _told(self, choices: tuple[Choice, ...] | None, error: str) -> None:
        self._is_asking = False
        if not self.is_attached:
            return
        if self.is_only_if_several and self.choices is None and len(choices or ()) < 2:
            self.dismiss(choices[0] if choices else Choice(self.parameter, "", ""))
            return
        self.error = error
        if choices is not None:
            if self.choices is None and choices:
                # The hand stays on what it came to, whatever is ill by the time that Enter is pressed.
                self.picked = choices[0].value
            self.choices = choices
            self.error = "" if choices else "there is nothing to choose from"
        self.draw()
