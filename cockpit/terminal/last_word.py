"""The end that comes when the orderly one does not: the terminal restored as well as it goes, then out."""

from __future__ import annotations

import contextlib
import os
import termios
import threading
from typing import Any

RESET = (
    "\x1b[?2026l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l\x1b[?2004l\x1b[?1004l"
    "\x1b[?2048l\x1b[<u\x1b[?7h\x1b[?1049l\x1b[?25h\x1b[0m"
)
"""Everything that was switched on, switched off again."""

WIPE = "\x1b[0m\x1b[H\x1b[2J"
"""Nothing of the picture is left; only while the screen is ours."""


class LastWord:
    """Ends the process after a time, unless it has ended by then."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self.is_said = False
        """The screen has been given back already; what is on it is no longer ours."""

    def give(self, after_s: float, code: int, descriptor: int, modes: list[Any] | None) -> None:
        """From now on only so long; the first call counts."""
        with self._lock:
            if self._timer is None:
                self._timer = threading.Timer(after_s, self._end, (code, descriptor, modes))
                self._timer.daemon = True
                self._timer.start()

    def _end(self, code: int, descriptor: int, modes: list[Any] | None) -> None:
        end(code, descriptor, modes, RESET if self.is_said else WIPE + RESET)


def end(code: int, descriptor: int, modes: list[Any] | None, reset: str = RESET) -> None:
    """At once, whatever hangs."""
    # A thread of its own: a terminal that does not read must not keep us here either.
    restoring = threading.Thread(target=restore, args=(descriptor, modes, reset), daemon=True)
    restoring.start()
    restoring.join(0.2)
    os._exit(code)


def restore(descriptor: int, modes: list[Any] | None, reset: str = RESET) -> None:
    """Keyboard modes first: that never blocks."""
    with contextlib.suppress(OSError, ValueError, termios.error):
        if modes is not None:
            termios.tcsetattr(descriptor, termios.TCSANOW, modes)
    with contextlib.suppress(OSError, ValueError):
        os.write(2, reset.encode())
