"""A section of the runbook walked in a real terminal on a real platform, with keys alone."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from actions.catalogue import ACTIONS
from benchmarks.operator import Operator
from benchmarks.ptyprogram import PtyProgram
from cockpit.sandbox import launcher
from cockpit.sandbox.layout import Layout

MOST_KEYS = 25
"""For a section, beside what is typed to confirm."""


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
    steps = [step for step in ACTIONS if step.section == "3.2" and not step.is_aside]
    for number in range(2, len(steps) + 1):
        operator.take()
        operator.sees(lambda text, number=number: f"step {number} of {len(steps)}" in text)  # type: ignore[misc]
    operator.take()
    operator.sees(lambda text: f"all {len(steps)} steps are behind" in text)
    assert operator.keys <= MOST_KEYS
    assert "primary_feed: moneycontrol" in layout.registry.read_text()
    operator.press("x")
    operator.sees(lambda text: "WALK" not in text)
