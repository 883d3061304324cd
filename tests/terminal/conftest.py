"""Cockpits on pseudo-terminals, ended after each test."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.ptyprogram import PtyProgram
from tests.terminal.held_glass import HeldGlass

Start = Callable[..., PtyProgram]
READY = "beat-"
RUNBOOK = "b r  Release the kill switch"


@pytest.fixture
def glass() -> Iterator[HeldGlass]:
    """A terminal that nobody reads but the test; its writer's thread is not started."""
    found = HeldGlass()
    yield found
    found.close()


def open_help(program: PtyProgram) -> None:
    """The help lies over the wall."""
    program.send("?")
    program.until(lambda text: READY not in text)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the cockpit on a hand-made session; the first argument is what goes wrong in it."""
    started: list[PtyProgram] = []

    def begin(
        kind: str = "-", *, before: tuple[str, ...] = (), is_ready: bool = True, columns: int = 120
    ) -> PtyProgram:
        command = [*before, sys.executable, "-m", "tests.terminal.program", kind, str(tmp_path)]
        program = PtyProgram(command, env={"XDG_STATE_HOME": str(tmp_path / "state")})
        started.append(program)
        if is_ready:
            program.until(lambda text: READY in text)
        return program

    yield begin
    for program in started:
        program.close()
