"""Every way out: the exit code, how soon, and the terminal as it was."""

from __future__ import annotations

import os
import signal
import stat
import sys
import termios
import time
from pathlib import Path

import pytest

from benchmarks.ptyprogram import PtyProgram
from tests.terminal.conftest import Start
from tests.terminal.program import SECRET

SOON_S = 20.0
"""One second on an idle machine, and never where something is waited for: that takes a minute."""
IGNORES_HANGUP = (
    sys.executable,
    "-c",
    "import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); os.execvp(sys.argv[1], sys.argv[1:])",
)
MODES_OFF = (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?2004l", b"\x1b[?1004l", b"\x1b[?7h")
MOUSE_ON = (b"\x1b[?1000h", b"\x1b[?1003h", b"\x1b[?1006h")


def is_restored(program: PtyProgram) -> bool:
    """The last word on every mode is that it is off, and the keyboard echoes again."""
    out = bytes(program.output)
    ends = all(out.rfind(off) > out.rfind(_opposite(off)) for off in MODES_OFF)
    echoes = bool(termios.tcgetattr(program.master)[3] & termios.ECHO)
    # The emulator has no alternate screen, as some terminals: a picture left behind would look live.
    is_gone = "K halt" not in program.text
    return ends and echoes and is_gone and not any(mouse in out for mouse in MOUSE_ON)


def _opposite(mode: bytes) -> bytes:
    return mode[:-1] + (b"l" if mode.endswith(b"h") else b"h")


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129), (signal.SIGQUIT, 131)],
)
def test_signals_end_it_in_order(start: Start, tmp_path: Path, number: int, code: int) -> None:
    program = start()
    began = time.monotonic()
    os.kill(program.pid, number)
    assert program.wait() == code
    assert time.monotonic() - began < SOON_S
    assert is_restored(program)
    assert (tmp_path / "closed").exists()


def test_a_signal_while_the_terminal_is_being_taken_over_ends_it_in_order(start: Start) -> None:
    program = start("killed-early", is_ready=False)
    assert program.wait() == 143
    assert b"\x1b[?1049h" in program.output
    assert is_restored(program)


def test_an_interrupt_restores_the_terminal_also_where_the_toolkit_drives_it(start: Start) -> None:
    program = start("moved")
    os.kill(program.pid, signal.SIGINT)
    program.wait()
    assert program.output.rfind(b"\x1b[?1049l") > program.output.rfind(b"\x1b[?1049h")
    assert termios.tcgetattr(program.master)[3] & termios.ECHO


def test_leaving_is_not_an_error(start: Start) -> None:
    program = start()
    program.send("q")
    assert program.wait() == 0
    assert is_restored(program)


@pytest.mark.parametrize("before", [(), IGNORES_HANGUP], ids=["default", "ignored"])
def test_a_closed_terminal_ends_it(start: Start, tmp_path: Path, before: tuple[str, ...]) -> None:
    program = start(before=before)
    began = time.monotonic()
    program.hang_up()
    assert program.wait() == 129
    assert time.monotonic() - began < SOON_S
    assert (tmp_path / "closed").exists()


def test_a_thread_that_hangs_keeps_nobody(start: Start) -> None:
    program = start("stuck-thread")
    began = time.monotonic()
    program.send("q")
    assert program.wait() == 0
    assert time.monotonic() - began < SOON_S


def test_a_loop_that_hangs_ends_at_a_signal(start: Start, tmp_path: Path) -> None:
    program = start("stuck-loop")
    program.send("t")
    stall = tmp_path / "stall"
    program.until(lambda _: stall.exists() and float(stall.read_text()) > 0.3)  # the loop does not answer any more
    os.kill(program.pid, signal.SIGTERM)
    assert program.wait() == 143
    assert is_restored(program)


@pytest.mark.parametrize("kind", ["crash-start", "crash-open", "crash-handler", "crash-worker", "crash-callback"])
def test_a_crash_is_told_in_one_line(start: Start, tmp_path: Path, kind: str) -> None:
    program = start(kind, is_ready=kind in ("crash-handler", "crash-worker"))
    if program.status is None and kind in ("crash-handler", "crash-worker"):
        program.send("t")
    assert program.wait() == 1
    assert is_restored(program)
    last = bytes(program.output).rpartition(b"\x1b[?1049l")[2].decode()
    assert "internal error" in last
    assert "Traceback" not in last
    (report,) = (tmp_path / "state" / "cockpit" / "crashes").iterdir()
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    text = report.read_text(encoding="utf-8")
    assert "Traceback" in text
    assert "Error" in text
    assert SECRET not in text + bytes(program.output).decode()


def test_a_terminal_that_reads_nothing_keeps_nobody(start: Start) -> None:
    program = start()
    _fall_behind(program)
    began = time.monotonic()
    os.kill(program.pid, signal.SIGTERM)
    done = status = 0
    while not done and time.monotonic() - began < SOON_S:
        done, status = os.waitpid(program.pid, os.WNOHANG)
        time.sleep(0.01)
    assert done, "it does not end"
    program.status = os.waitstatus_to_exitcode(status)
    assert program.status == 143


def _fall_behind(program: PtyProgram) -> None:
    """Ask for much and read nothing, until nothing more is taken."""
    for columns in range(100, 140):
        program.resize(columns, 40)
        time.sleep(0.01)
