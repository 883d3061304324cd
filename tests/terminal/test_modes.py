"""What each terminal gets: colours, characters, or one clear line."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.ptyprogram import PtyProgram
from tests.patience import PATIENCE_S
from tests.terminal.conftest import READY

COLOUR = re.compile(rb"\x1b\[(?:[\d;]*;)?(?:3[0-7]|4[0-7]|9[0-7]|10[0-7]|[34]8;[25];[\d;]+)m")


class Shown:
    """The cockpit's first pictures on one terminal."""

    def __init__(self, folder: Path, env: dict[str, str], *options: str) -> None:
        command = [sys.executable, "-m", "tests.terminal.program", "-", str(folder), *options]
        self.program = PtyProgram(command, env={"COLORTERM": "", **env})

    def __enter__(self) -> bytes:
        self.program.until(lambda text: READY in text)
        return bytes(self.program.output)

    def __exit__(self, *_: object) -> None:
        self.program.close()


def kinds(output: bytes) -> set[str]:
    found = {"ascii" if output.isascii() else "unicode"}
    found |= {name for name, code in (("true", b"8;2;"), ("256", b"8;5;")) if code in output}
    return found | ({"16"} if COLOUR.search(re.sub(rb"[34]8;[25];[\d;]+", b"", output)) else set())


@pytest.mark.parametrize(
    ("env", "options", "expected"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, (), "true unicode"),
        ({"TERM": "xterm-256color"}, (), "256 unicode"),
        ({"TERM": "screen"}, (), "16 unicode"),
        ({"TERM": "linux"}, (), "16 ascii"),
        ({"TERM": "xterm-256color", "LC_ALL": "C"}, (), "256 ascii"),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, (), "unicode"),
        ({"TERM": "vt100"}, (), "ascii"),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, ("none", "ascii"), "ascii"),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, ("16",), "16 unicode"),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, ("256",), "256 unicode"),
        ({"TERM": "xterm"}, ("all",), "true unicode"),
    ],
    ids=str,
)
def test_each_terminal_gets_what_it_can_show(
    tmp_path: Path, env: dict[str, str], options: tuple[str, ...], expected: str
) -> None:
    with Shown(tmp_path, env, *options) as output:
        assert kinds(output) == set(expected.split())


def test_what_others_left_in_the_environment_does_nothing(tmp_path: Path) -> None:
    left = {"TEXTUAL_PRESS": "q", "TEXTUAL_COLOR_SYSTEM": "bogus", "COLUMNS": "20", "LINES": "3"}
    with Shown(tmp_path, {"TERM": "xterm-256color", **left}) as output:
        assert output


@pytest.fixture
def dumb() -> Iterator[PtyProgram]:
    program = PtyProgram([sys.executable, "-m", "cockpit"], env={"TERM": "dumb"})
    yield program
    program.close()


def test_a_dumb_terminal_is_refused_in_one_line(dumb: PtyProgram) -> None:
    assert dumb.wait() == 2
    assert bytes(dumb.output).count(b"\n") == 1
    assert b"TERM is dumb" in dumb.output


def test_no_terminal_is_refused_in_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cockpit"], stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE_S
    )
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1
