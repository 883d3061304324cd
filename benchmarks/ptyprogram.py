"""A program on a pseudo-terminal of its own, with an emulator that reads what it paints."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence

import pyte

PATIENCE_S = 60.0
"""What a busy machine is given before it is said that something never came."""
ENVIRONMENT = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}


class PtyProgram:
    """Starts `command` on a terminal of `columns` x `rows`; close() ends it."""

    def __init__(
        self, command: Sequence[str], columns: int = 120, rows: int = 40, env: Mapping[str, str] | None = None
    ) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.output = bytearray()
        """Everything it ever wrote."""
        self.started = time.perf_counter()
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            base = {
                key: value for key, value in os.environ.items() if not key.startswith(("TEXTUAL", "COLUMNS", "LINES"))
            }
            os.execvpe(command[0], list(command), {**base, **ENVIRONMENT, **(env or {})})
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.status: int | None = None

    @property
    def text(self) -> str:
        """The screen as text."""
        # The emulator's own way fails in the middle of a frame, while half of a wide character is overwritten.
        rows, columns = range(self.screen.lines), range(self.screen.columns)
        return "\n".join("".join(self.screen.buffer[y][x].data for x in columns) for y in rows)

    @property
    def bytes_out(self) -> int:
        """How much it has written."""
        return len(self.output)

    def read(self, timeout_s: float) -> bytes:
        """What the program wrote next, shown by the emulator; empty after `timeout_s` of silence or at its end."""
        data = self.take(timeout_s)
        self.show(data)
        return data

    def take(self, timeout_s: float) -> bytes:
        """What it wrote next, not shown yet."""
        if not select.select([self.master], [], [], timeout_s)[0]:
            return b""
        try:
            data = os.read(self.master, 1 << 16)
        except OSError:
            return b""
        self.output += data
        return data

    def show(self, data: bytes) -> None:
        """Have the emulator read it."""
        with contextlib.suppress(Exception):  # it does not know every sequence
            self._stream.feed(data)

    def until(self, is_true: Callable[[str], bool], deadline_s: float = PATIENCE_S) -> float:
        """Read until the screen's text satisfies `is_true`; seconds since the program's start.

        Raises:
            TimeoutError: it never did; the text holds the last screen.
        """
        end = time.perf_counter() + deadline_s
        while not is_true(self.text):
            if time.perf_counter() > end:
                raise TimeoutError(f"not seen within {deadline_s:g} s; the screen:\n{self.text}")
            self.read(0.05)
        return time.perf_counter() - self.started

    def drain(self, seconds: float) -> int:
        """Read for this long; the number of bytes that came."""
        before, end = self.bytes_out, time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self.read(left)
        return self.bytes_out - before

    def send(self, keys: str | bytes) -> None:
        """Type."""
        os.write(self.master, keys.encode() if isinstance(keys, str) else keys)

    def resize(self, columns: int, rows: int) -> None:
        """Change the terminal's size."""
        self.screen.resize(rows, columns)
        self.resize_terminal(columns, rows)

    def resize_terminal(self, columns: int, rows: int) -> None:
        """Only what the program is told."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def hang_up(self) -> None:
        """Take the terminal away, as a dropped SSH session does."""
        os.close(self.master)
        self.master = -1

    def wait(self, deadline_s: float = PATIENCE_S) -> int | None:
        """The exit status as a shell says it (128 + signal), or None if it still runs."""
        end = time.perf_counter() + deadline_s
        while self.status is None and time.perf_counter() < end:
            if self.master >= 0:
                self.read(0.02)
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                while self.master >= 0 and self.read(0.05):  # what it wrote last
                    pass
                code = os.waitstatus_to_exitcode(status)
                self.status = code if code >= 0 else 128 - code
        return self.status

    def close(self) -> None:
        """End it, whatever it does."""
        if self.status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)
            if self.wait(3.0) is None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.pid, signal.SIGKILL)
                self.wait(2.0)
        if self.master >= 0:
            os.close(self.master)
            self.master = -1
