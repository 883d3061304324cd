"""The cockpit with a sandbox of its own: whatever ends it ends all of it."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from benchmarks.ptyprogram import PtyProgram
from tests.patience import PATIENCE_S

ALONE = """
import sys
from pathlib import Path
from cockpit.sandbox import folders
folders.shared_folder = lambda: Path(sys.argv[1], "nowhere")
from cockpit.cli import run
sys.exit(run([]))
"""
"""Whatever shared sandbox runs on this machine, it starts one of its own."""


@pytest.fixture
def program(tmp_path: Path) -> Iterator[PtyProgram]:
    program = PtyProgram([sys.executable, "-c", ALONE, str(tmp_path)], env={"XDG_CONFIG_HOME": str(tmp_path)})
    yield program
    program.close()


@pytest.mark.parametrize(("how", "code"), [("closed", 129), ("killed", 143)])
def test_nothing_is_left_over(program: PtyProgram, how: str, code: int) -> None:
    program.until(lambda text: "VaR" in text and "ACTIVE" in text)
    children = psutil.Process(program.pid).children(recursive=True)
    if how == "closed":
        program.hang_up()
    else:
        os.kill(program.pid, signal.SIGTERM)
    assert program.wait() == code
    assert children
    end = time.monotonic() + PATIENCE_S
    while any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children):
        assert time.monotonic() < end, [child.cmdline() for child in children if child.is_running()]
        time.sleep(0.02)
