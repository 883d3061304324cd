"""A section of the runbook walked in a real terminal on a real platform, with keys alone."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator

import pytest

from actions.catalogue import ACTIONS
from actions.undoing import ASIDE
from benchmarks.ptyprogram import PtyProgram
from cockpit.sandbox import launcher
from cockpit.sandbox.layout import Layout

MOST_KEYS = 25
"""For a section, beside what is typed to confirm."""
LIMIT_S = 90.0
CALM_S = 0.6
"""Dialogs ignore what comes in their first 0.4 s."""


class Operator:
    """Reads the screen and presses keys, one after the other."""

    def __init__(self, program: PtyProgram) -> None:
        self.program = program
        self.keys = 0

    def press(self, key: str) -> None:
        os.write(self.program.master, key.encode())
        self.keys += 1

    def type(self, text: str, where: str) -> None:
        """One letter at a time, each seen before the next: a burst is refused as not typed by a person."""
        for end in range(1, len(text) + 1):
            os.write(self.program.master, text[end - 1].encode())
            self.sees(lambda shown, end=end: bool(re.search(rf"{where}.*{re.escape(text[:end])}", shown)))  # type: ignore[misc]

    def sees(self, is_true: Callable[[str], bool]) -> None:
        self.program.until(is_true, LIMIT_S)

    def take(self) -> None:
        """Confirm the step whose dialog is open, as it asks for it, and see it proven."""
        self.sees(lambda text: "to go on" in text or " y " in text or "Enter closes" in text)
        self.program.drain(CALM_S)
        asked = re.search(r"Type (.+?) to go on", self.program.text)
        if asked:
            self.type(asked[1], "(to go on:|matches)")
            if "Reason" in self.program.text:
                self.press("\t")
                self.type("test", "Reason")
            self.press("\r")
        elif "Enter closes" not in self.program.text:
            self.press("y")
        self.sees(lambda text: any("Enter closes" in row for row in text.splitlines()))
        assert any(" PROVEN " in row for row in self.program.text.splitlines() if "Enter closes" in row), (
            self.program.text
        )
        self.program.drain(CALM_S)
        self.press("\r")


@pytest.fixture
def layout() -> Iterator[Layout]:
    """A platform of its own: what a section changes is not put back."""
    running = launcher.launch_private()
    try:
        yield running.layout
    finally:
        running.close()


@pytest.fixture
def operator(layout: Layout) -> Iterator[Operator]:
    program = PtyProgram([sys.executable, "-m", "cockpit", "--config", str(layout.config)], 100, 36)
    try:
        yield Operator(program)
    finally:
        program.close()


def test_a_feed_failure_is_walked_to_its_end(operator: Operator, layout: Layout) -> None:
    operator.sees(lambda text: "ACTIVE" in text and "Brokers" in text)
    launcher.inject(layout, "feed-stalled")
    operator.press("2")
    operator.sees(lambda text: "3.2 Data feed failure Space f ◆ suggested by" in text)
    operator.press("w")
    steps = [step for step in ACTIONS if step.section == "3.2" and step.id not in ASIDE]
    for number in range(2, len(steps) + 1):
        operator.take()
        operator.sees(lambda text, number=number: f"step {number} of {len(steps)}" in text)  # type: ignore[misc]
    operator.take()
    operator.sees(lambda text: f"all {len(steps)} steps are behind" in text)
    assert operator.keys <= MOST_KEYS
    assert "primary_feed: moneycontrol" in layout.registry.read_text()
    operator.press("x")
    operator.sees(lambda text: "WALK" not in text)
