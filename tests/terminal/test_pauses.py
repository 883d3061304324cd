"""A terminal that stops reading, is paused or changes its size: the loop goes on, and the picture is right after."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.operator import CALM_S, Operator
from benchmarks.ptyprogram import PtyProgram
from tests.patience import PATIENCE_S
from tests.terminal.conftest import READY, Start
from tests.terminal.emulators import seen
from tests.terminal.test_ends import is_restored

PICTURES = 40
"""So many unread: the stock toolkit's loop stands still before."""
TYPED = "RESUXE"
SPOILT = "??"


def cells(program: PtyProgram) -> list[object]:
    screen = program.screen
    return [seen(screen.buffer[y][x]) for y in range(screen.lines) for x in range(screen.columns)]


def spoil(program: PtyProgram) -> None:
    """What a shell would leave on the screen."""
    for y in range(program.screen.lines):
        program.screen.cursor_position(y + 1, 1)
        program.screen.draw(SPOILT * (program.screen.columns // len(SPOILT)))


def settle(program: PtyProgram, silence_s: float = 0.1) -> None:
    while program.read(silence_s):
        pass


def is_whole(program: PtyProgram) -> bool:
    """Whether a repaint of everything changes nothing but what two repaints draw differently: ages and the clock."""
    whole: list[list[object]] = []
    for turn in range(1, 9):
        settle(program, turn * 0.1)
        before = cells(program)
        spoil(program)
        os.kill(program.pid, signal.SIGWINCH)
        program.until(lambda text: READY in text and SPOILT not in text)
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


def stopped(program: PtyProgram, deadline_s: float = PATIENCE_S) -> bool:
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
    for columns in range(101, 101 + PICTURES):  # each new size is a new picture of 20 kB or more
        program.resize(columns, 40)
        assert answered(tmp_path), f"its loop stands still at {columns} columns"
    program.resize(120, 40)
    program.until(shows(int((tmp_path / "beat").read_text().removeprefix(READY))))
    (tmp_path / "freeze").touch()
    assert is_whole(program)


def answered(folder: Path) -> bool:
    """Whether the loop answers some times more, though nobody reads."""
    end, before = time.monotonic() + PATIENCE_S, answers_of(folder)
    while time.monotonic() < end:
        if answers_of(folder) >= before + 4:
            return True
        time.sleep(0.01)
    return False


def answers_of(folder: Path) -> int:
    file = folder / "answers"
    return int(file.read_text()) if file.exists() else 0


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
    for key, sight in ((" ", "section"), ("b", "Release the kill switch"), ("r", "RESUME TRADING")):
        program.send(key)
        program.until(lambda text, sight=sight: sight in text)  # type: ignore[misc]
        program.drain(CALM_S)
    Operator(program).type(TYPED, "to go on:")
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
