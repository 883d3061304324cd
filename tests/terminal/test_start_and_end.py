"""The cockpit on a real pty: it refuses what cannot work, and leaves the terminal as it found it, whatever ends it."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.patience import PATIENCE_S

DEAD = """
site: nowhere
world: SANDBOX
root: {root}
state: {root}/state
redis: {{url: "redis://127.0.0.1:1/0", timeout_s: 0.5}}
"""


def colours(output: bytes) -> set[bytes]:
    """The colour codes that were sent; 39 and 49 mean none."""
    codes = {code for found in re.findall(rb"\x1b\[([\d;]*)m", output) for code in found.split(b";")}
    return {code for code in codes if re.fullmatch(rb"3[0-8]|4[0-8]|9[0-7]|10[0-7]", code)}


class Terminal:
    """The program on one side of a pty, the test on the other."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self.master, self.slave = pty.openpty()
        termios.tcsetwinsize(self.slave, (40, 120))
        self.before = termios.tcgetattr(self.slave)
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cockpit", *arguments],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            env={**kept, "TERM": "xterm-256color", "LANG": "C.UTF-8", **environment},
            start_new_session=True,
        )
        self.output = b""

    def until(self, text: str, timeout_s: float = PATIENCE_S) -> str:
        """Read until the text has come by; what has been read."""
        ends_at = time.monotonic() + timeout_s
        while text not in self.text:
            assert time.monotonic() < ends_at, f"never: {text}\n{self.text[-2000:]}"
            self.read(0.1)
        return self.text

    def read(self, wait_s: float) -> bool:
        """Whether there was anything."""
        if select.select([self.master], [], [], wait_s)[0]:
            try:
                self.output += os.read(self.master, 65536)
            except OSError:
                time.sleep(0.01)
                return False
            return True
        return False

    @property
    def text(self) -> str:
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.output.decode("utf-8", "replace"))

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def ended(self, timeout_s: float = PATIENCE_S) -> int:
        """The exit status."""
        ends_at = time.monotonic() + timeout_s
        while self.process.poll() is None:
            assert time.monotonic() < ends_at, "it does not end"
            self.read(0.05)
        while self.read(0.0):  # what it wrote last
            pass
        assert self.process.returncode is not None
        return self.process.returncode

    def is_restored(self) -> bool:
        """Cooked again, and back from the alternate screen with a cursor."""
        after = termios.tcgetattr(self.slave)
        return (
            after[:4] == self.before[:4]
            and self.output.rfind(b"\x1b[?1049l") > self.output.rfind(b"\x1b[?1049h")
            and (self.output.rfind(b"\x1b[?25h") > self.output.rfind(b"\x1b[?25l"))
        )

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for descriptor in (self.master, self.slave):
            try:
                os.close(descriptor)
            except OSError:
                continue


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "cockpit.yaml"
    file.write_text(DEAD.format(root=tmp_path))
    return file


@pytest.fixture
def cockpit(config: Path) -> Iterator[Terminal]:
    terminal = Terminal("--config", str(config))
    yield terminal
    terminal.close()


def test_without_a_terminal_it_says_what_to_use(config: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cockpit", "--config", str(config)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE_S,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "cockpit status" in done.stderr and done.stdout == ""


def test_a_dumb_terminal_is_refused(config: Path) -> None:
    terminal = Terminal("--config", str(config), TERM="dumb")
    try:
        assert terminal.ended() == 2
        assert "cockpit status" in terminal.text and b"\x1b[" not in terminal.output
    finally:
        terminal.close()


def test_dead_backends_are_shown_and_q_leaves(cockpit: Terminal) -> None:
    cockpit.until("nowhere")
    cockpit.until("UNKNOWN")
    cockpit.press("q")
    assert cockpit.ended() == 0
    assert cockpit.is_restored()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT])
def test_signals_end_it_and_restore_the_terminal(cockpit: Terminal, number: signal.Signals) -> None:
    cockpit.until("nowhere")
    cockpit.process.send_signal(number)
    assert cockpit.ended() == 128 + number
    assert cockpit.is_restored()


def test_a_hang_up_ends_it(config: Path) -> None:
    terminal = Terminal("--config", str(config))
    try:
        terminal.until("nowhere")
        os.close(terminal.slave)
        os.close(terminal.master)
        ends_at = time.monotonic() + PATIENCE_S
        while terminal.process.poll() is None:
            assert time.monotonic() < ends_at, "it outlives its terminal"
            time.sleep(0.05)
        assert terminal.process.returncode in (129, -signal.SIGHUP)
    finally:
        terminal.close()


def test_a_wrong_configuration_is_told_after_the_terminal_is_back(tmp_path: Path) -> None:
    file = tmp_path / "cockpit.yaml"
    file.write_text("site: x\nroot: /\nnonsense: 1\n")
    terminal = Terminal("--config", str(file))
    try:
        assert terminal.ended() == 3
        assert terminal.is_restored()
        told = terminal.output[terminal.output.rfind(b"\x1b[?1049l") :].decode()
        assert "nonsense" in told and "Traceback" not in told
    finally:
        terminal.close()


def test_toolkit_variables_of_the_environment_do_nothing(config: Path) -> None:
    terminal = Terminal("--config", str(config), TEXTUAL_PRESS="q", TEXTUAL_DRIVER="no:Such", COLUMNS="20", LINES="5")
    try:
        terminal.until("Kubernetes")
        terminal.press("q")
        assert terminal.ended() == 0
    finally:
        terminal.close()


def test_ascii_terminals_get_ascii(config: Path) -> None:
    terminal = Terminal("--config", str(config), LANG="C", TERM="vt100")
    try:
        terminal.until("UNKNOWN")
        terminal.press("q")
        assert terminal.ended() == 0
        assert terminal.output.isascii()
        assert not colours(terminal.output), "a vt100 has no colours"
    finally:
        terminal.close()


def test_no_color_means_none(config: Path) -> None:
    terminal = Terminal("--config", str(config), NO_COLOR="")
    try:
        terminal.until("UNKNOWN")
        terminal.press("q")
        assert terminal.ended() == 0
        assert not colours(terminal.output)
    finally:
        terminal.close()
