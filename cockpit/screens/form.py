"""A few fields to fill in, in a sheet; what comes of it is somebody else's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cockpit.screens.desk import Desk
from cockpit.screens.hands import Hands
from cockpit.screens.sheet import Sheet
from widgets.field import Field
from widgets.guard_rows import dialog
from widgets.line import EMPTY, Line, both, line, wrapped
from widgets.line import field as column

LABEL = 16
"""So wide are labels at least."""

Answers = dict[str, str]


@dataclass(slots=True)
class Ask:
    """One field."""

    name: str
    label: str
    text: Field = field(default_factory=Field)
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """What is asked, and whether the answers will do."""

    title: str
    verb: str
    """What Enter does: opens it, writes it."""
    asks: Sequence[Ask]
    told: Sequence[tuple[str, str]] = ()
    """Lines above the fields, with their inks."""
    why_not: Callable[[Answers], str] = lambda answers: ""
    """Why the answers will not do; empty where they will."""


class FormScreen(Sheet[Answers]):
    """Answers the fields' texts by their names, or nothing."""

    def __init__(self, desk: Desk, form: Form) -> None:
        super().__init__(desk)
        self.form = form
        self.at = next((index for index, ask in enumerate(form.asks) if not ask.text.text), 0)
        self.note = ""
        self._hands = Hands(desk.clock.monotonic())

    def rows(self) -> list[Line]:
        """What is told, the fields, the keys."""
        width = min(84, self.room[0])
        inner = width - 4
        body: list[Line] = []
        for text, ink in self.form.told:
            body.extend(line((part, ink)) for part in wrapped(text, inner) or ("",))
        if body:
            body.append(EMPTY)
        before = max(LABEL, *(len(ask.label) + 1 for ask in self.form.asks))
        for index, ask in enumerate(self.form.asks):
            box = ask.text.shown(inner - before, index == self.at)
            body.append(line(column(ask.label, before, "key" if index == self.at else "label"), *box))
            if ask.hint and index == self.at:
                body.append(line(" " * before, (ask.hint, "dim")))
        body.append(EMPTY)
        body.extend(line((part, "hint")) for part in wrapped(self.note, inner))
        tab = "Tab next field   " if len(self.form.asks) > 1 else ""
        keys = line((" Enter ", "block_ok"), (f"  {self.form.verb}", "strong"))
        body.append(both(keys, line((f"{tab}Esc leaves", "label")), inner))
        height = self.room[1] - 2
        return dialog(line((self.form.title, "title")), (), body[-height:], "border_selected", width)

    def press(self, key: str, character: str | None) -> None:
        """Type, go on, answer."""
        asks = self.form.asks
        if key in ("escape", "ctrl+c"):
            self.dismiss(None)
            return
        if key == "enter":
            # The key that opened this, still held down, answers nothing.
            if self._hands.why_not(key, self.desk.clock.monotonic(), is_confirming=True) is None:
                self._answer()
        elif key in ("tab", "down"):
            self.at = (self.at + 1) % len(asks)
        elif key in ("shift+tab", "up"):
            self.at = (self.at - 1) % len(asks)
        else:
            asks[self.at].text.take(key, character)
        if self.is_attached:
            self.draw()

    def pasted(self, text: str) -> None:
        """Words may be pasted here: they decide nothing by themselves."""
        for character in " ".join(text.split())[:500]:
            self.form.asks[self.at].text.take(character, character)
        self.draw()

    def _answer(self) -> None:
        answers = {ask.name: ask.text.text.strip() for ask in self.form.asks}
        self.note = self.form.why_not(answers)
        if not self.note:
            self.dismiss(answers)
