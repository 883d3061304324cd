"""A terminal that stops reading, is paused or changes its size: the loop goes on, and the picture is right after."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.operator import CALM_S, LETTER_S
from benchmarks.ptyprogram import PtyProgram
from tests.terminal.conftest import READY, Start
from tests.terminal.emulators import seen
from tests.terminal.test_ends import is_restored

DEAF_S = 4.0
"""The stock toolkit's loop stands still after about 3 s of this."""
RIGHT_S = 8.0
TYPED = "RESUXE"
STALL_S = 2.0
"""Generous: a busy machine stalls by itself; a blocked loop stalls for as long as the terminal."""


def cells(program: PtyProgram) -> list[object]:
    screen = program.screen
    return [seen(screen.buffer[y][x]) for y in range(screen.lines) for x in range(screen.columns)]


def spoil(program: PtyProgram) -> None:
    """What a shell would leave on the screen."""
    for y in range(program.screen.lines):
        program.screen.cursor_position(y + 1, 1)
        program.screen.draw("?" * program.screen.columns)


def settle(program: PtyProgram) -> None:
    while program.read(0.1):
        pass


def is_whole(program: PtyProgram) -> bool:
    """Whether a repaint of everything changes nothing but what two repaints draw differently: ages and the clock."""
    whole: list[list[object]] = []
    for _ in range(8):
        settle(program)
        before = cells(program)
        spoil(program)
        os.kill(program.pid, signal.SIGWINCH)
        program.until(lambda text: READY in text)
        settle(program)
        whole.append(cells(program))
        if all(
            old == each[0] or any(one != each[0] for one in each) for old, *each in zip(before, *whole, strict=True)
        ):
            return True
    return False


def answers(program: PtyProgram) -> None:
    """A key opens the help and another closes it."""
    program.send("?")
    program.until(lambda text: READY not in text)
    program.send("\x1b")
    program.until(lambda text: READY in text)


def test_a_toolkit_that_has_changed_does_it_in_its_own_way(start: Start) -> None:
    program = start("moved")
    program.resize(100, 30)
    program.until(lambda text: READY in text and text.rpartition("\n")[2].startswith(" K halt"))
    program.send("q")
    assert program.wait() == 0


def stopped(program: PtyProgram, deadline_s: float = 5.0) -> bool:
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        program.read(0.02)
        done, status = os.waitpid(program.pid, os.WNOHANG | os.WUNTRACED)
        if done:
            while program.read(0.1):  # what it wrote last may lie unread in the terminal
                pass
            return os.WIFSTOPPED(status)
    return False


def test_a_terminal_that_does_not_read_stops_nothing(start: Start, tmp_path: Path) -> None:
    program = start()
    end = time.monotonic() + DEAF_S
    columns = 100
    while time.monotonic() < end:  # each new size is a new picture of 20 kB or more
        columns += 1
        program.resize(columns, 40)
        time.sleep(0.1)
    program.resize(120, 40)
    beat = int((tmp_path / "beat").read_text().removeprefix(READY))
    assert beat > DEAF_S * 5
    assert float((tmp_path / "stall").read_text()) < STALL_S
    began = time.monotonic()
    program.until(shows(beat))
    assert time.monotonic() - began < RIGHT_S
    (tmp_path / "freeze").touch()
    assert is_whole(program)


def shows(beat: int) -> Callable[[str], bool]:
    """Whether the screen has come as far as this."""

    def check(text: str) -> bool:
        number = text.partition(READY)[2][:6]
        digits = number[: len(number) - len(number.lstrip("0123456789"))]
        return bool(digits) and int(digits) >= beat

    return check


@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGSTOP])
def test_a_pause_gives_the_terminal_back_and_takes_it_again(start: Start, tmp_path: Path, number: int) -> None:
    program = start()
    answers(program)
    (tmp_path / "freeze").touch()
    os.kill(program.pid, number)
    assert stopped(program)
    if number == signal.SIGTSTP:
        assert program.output.rfind(b"\x1b[?1049l") > program.output.rfind(b"\x1b[?1049h")
    spoil(program)
    seen = len(program.output)
    os.kill(program.pid, signal.SIGCONT)
    program.until(lambda text: READY in text)
    assert b"\x1b[?1049h" in program.output[seen:]
    assert is_whole(program)
    answers(program)
    program.send("q")
    assert program.wait() == 0
    assert program.output.rfind(b"\x1b[?1049l") > program.output.rfind(b"\x1b[?1049h")


def test_a_pause_in_a_dialog_keeps_what_was_typed(start: Start, tmp_path: Path) -> None:
    program = start()
    (tmp_path / "freeze").touch()
    for key in " br":
        program.send(key)
        program.drain(CALM_S)
    program.until(lambda text: "RESUME TRADING" in text)
    program.drain(CALM_S)
    for letter in TYPED:
        program.send(letter)
        program.drain(LETTER_S)
    program.until(lambda text: TYPED in text)
    os.kill(program.pid, signal.SIGTSTP)
    assert stopped(program)
    spoil(program)
    os.kill(program.pid, signal.SIGCONT)
    program.until(lambda text: TYPED in text and "RESUME TRADING" in text)
    os.kill(program.pid, signal.SIGTERM)
    assert program.wait() == 143
    assert is_restored(program)


@pytest.mark.parametrize("size", [(0, 0), (20, 5), (500, 200), (1, 1)])
def test_any_size_is_survived(start: Start, tmp_path: Path, size: tuple[int, int]) -> None:
    program = start()
    fcntl_size = (max(size[0], 1), max(size[1], 1))
    program.resize(*fcntl_size)
    if size == (0, 0):
        program.resize_terminal(0, 0)
    settle(program)
    program.resize(120, 40)
    program.until(lambda text: READY in text)
    (tmp_path / "freeze").touch()
    assert is_whole(program)
    answers(program)


def test_a_terminal_that_has_no_size_from_the_start_is_taken_for_a_usual_one(start: Start) -> None:
    program = start(before=("sh", "-c", 'stty rows 0 cols 0 && exec "$@"', "sh"), is_ready=False)
    program.until(lambda text: "halt: ready via Redis" in text and "q quit" in text.splitlines()[23])
    program.resize(120, 40)
    program.until(lambda text: READY in text and "Findings" in text)
    program.send("q")
    assert program.wait() == 0


def test_three_hundred_sizes_in_a_row(start: Start, tmp_path: Path) -> None:
    program = start()
    for turn in range(300):
        program.resize(40 + turn * 7 % 160, 10 + turn * 5 % 50)
        program.read(0.0)
    program.resize(120, 40)
    program.until(lambda text: READY in text)
    (tmp_path / "freeze").touch()
    assert is_whole(program)
    answers(program)


def test_the_size_that_came_last_counts(start: Start, tmp_path: Path) -> None:
    program = start("sizes-cross")
    spoil(program)
    program.resize_terminal(100, 30)
    program.until(lambda text: text.rpartition("\n")[2].startswith(" K halt"))
    (tmp_path / "freeze").touch()
    assert is_whole(program)
    answers(program)
