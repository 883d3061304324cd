"""Somebody at a terminal with nothing but keys: reads the screen, presses, types, and sees each step proven."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from threading import Thread

from benchmarks.ptyprogram import PtyProgram

LIMIT_S = 90.0
CALM_S = 0.6
"""Dialogs ignore what comes in their first 0.4 s."""
LETTER_S = 0.15
ENTER, TAB, OVERRIDE = "\r", "\t", "\x0f"

CHOOSE = "Enter takes it"
"""Says the list of what a step may be for."""


class Operator:
    """Counts the keys, but for what is typed to confirm."""

    def __init__(self, program: PtyProgram) -> None:
        self.program = program
        self.keys = 0
        self.proven: list[str] = []
        """The titles of the steps that were seen proven."""

    def press(self, key: str) -> None:
        """One key, whatever it does."""
        os.write(self.program.master, key.encode())
        self.keys += 1

    def chord(self, keys: str) -> None:
        """Key after key, as a hand that knows them."""
        for key in keys:
            self.press(key)
            self.program.drain(0.3)

    def type(self, text: str, where: str) -> None:
        """Letter after letter, as a person types: a burst is refused."""
        for end, letter in enumerate(text, 1):
            os.write(self.program.master, letter.encode())
            wanted = re.compile(rf"(?:{where}).*{re.escape(text[:end])}", re.DOTALL)
            self.sees(lambda shown, wanted=wanted: bool(wanted.search(shown)))  # type: ignore[misc]
            self.program.drain(LETTER_S)

    def sees(self, is_true: Callable[[str], bool], within_s: float = LIMIT_S) -> None:
        """Wait for what the screen is to show."""
        self.program.until(is_true, within_s)

    def take(self, reason: str = "test") -> None:
        """Confirm the step whose dialog is open, as it asks for it, and see it proven."""
        self.confirm(reason)
        self.sees(lambda text: any("Enter closes" in row for row in text.splitlines()))
        last = next(row for row in self.program.text.splitlines() if "Enter closes" in row)
        assert " PROVEN " in last, self.program.text
        self.proven.append(last.strip())
        self.program.drain(CALM_S)
        self.press(ENTER)

    def confirm(self, reason: str = "test") -> None:
        """Confirm the step whose dialog is open, as it asks for it."""
        self.sees(is_asking)
        if CHOOSE in self.program.text:
            # What is most likely meant is picked already: the broker that is down, the session that blocks.
            self.press(ENTER)
            self.sees(lambda text: CHOOSE not in text and is_asking(text))
        self.program.drain(CALM_S)
        if "Ctrl-O" in self.program.text and "to go on" not in self.program.text:
            # A check that a person may override, knowing what it says: with a reason, and in the audit.
            self.press(OVERRIDE)
            self.sees(lambda text: "to go on" in text)
        asked = re.search(r"Type (.+?) to go on", self.program.text)
        if asked:
            self.type(asked[1], "to go on:|matches")
            if "Reason" in self.program.text:
                self.press(TAB)
                self.type(reason, "Reason")
            self.press(ENTER)
        elif "Enter closes" not in self.program.text:
            self.press("y")

    def busy(self, with_what: Callable[[], object]) -> None:
        """Wait for something outside while the screen goes on being read: a full pipe would stop the cockpit."""
        waiting = Thread(target=with_what)
        waiting.start()
        while waiting.is_alive():
            self.program.read(0.1)
        waiting.join()


def is_asking(text: str) -> bool:
    """Whether a dialog waits for the operator."""
    return any(words in text for words in ("to go on", " y ", "Enter closes", "Ctrl-O", CHOOSE))
