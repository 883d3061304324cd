"""The cockpit with a sandbox of its own: whatever ends it ends all of it."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from benchmarks.ptyprogram import PtyProgram

SOON_S = 8.0
"""Half a second on an idle machine."""


@pytest.fixture
def program() -> Iterator[PtyProgram]:
    program = PtyProgram([sys.executable, "-m", "cockpit"])
    yield program
    program.close()


@pytest.mark.parametrize(("how", "code"), [("closed", 129), ("killed", 143)])
def test_nothing_is_left_over(program: PtyProgram, how: str, code: int) -> None:
    program.until(lambda text: "VaR" in text and "ACTIVE" in text, 60.0)
    children = psutil.Process(program.pid).children(recursive=True)
    if how == "closed":
        program.hang_up()
    else:
        os.kill(program.pid, signal.SIGTERM)
    assert program.wait(SOON_S) == code
    if not children:
        pytest.skip("a shared sandbox runs on this machine, and it stays")
    end = time.monotonic() + SOON_S
    while any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children):
        assert time.monotonic() < end, [child.cmdline() for child in children if child.is_running()]
        time.sleep(0.02)
