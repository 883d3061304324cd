"""Writes to the terminal without ever waiting for it: a terminal that does not read costs frames, never the loop."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from typing import IO

MOST_BYTES = 256 * 1024
"""More than this unread: the terminal is not listening, and frames are dropped until it does."""
JOIN_S = 1.0


class PatientWriter(threading.Thread):
    """Takes the place of the toolkit's writer, whose queue of 30 blocks the event loop when it is full."""

    def __init__(self, file: IO[str], when_drained: Callable[[], None] = lambda: None) -> None:
        super().__init__(daemon=True, name="terminal-output")
        self._file = file
        self._descriptor = file.fileno()
        self._when_drained = when_drained
        self._parts: deque[bytes] = deque()
        self._pending = 0
        self._has_dropped = False
        self._is_stopping = False
        self._changed = threading.Condition()
        self.is_broken = False

    def write(self, text: str) -> None:
        """Take it, or drop it while far too much is unread."""
        data = text.encode("utf-8", "replace")
        with self._changed:
            # Short sequences (modes, cursor) always pass: only frames are worth dropping.
            if self._pending > MOST_BYTES and len(data) > 64:
                self._has_dropped = True
                return
            self._parts.append(data)
            self._pending += len(data)
            self._changed.notify()

    def isatty(self) -> bool:
        """It stands for a terminal."""
        return True

    def fileno(self) -> int:
        """The terminal's descriptor."""
        return self._descriptor

    def flush(self) -> None:
        """Nothing waits here."""

    def run(self) -> None:
        """Write until told to stop; an error ends the terminal, not the cockpit."""
        while True:
            with self._changed:
                while not self._parts and not self._is_stopping:
                    self._changed.wait()
                if not self._parts:
                    return
                data = b"".join(self._parts)
                self._parts.clear()
            self._send(data)
            with self._changed:
                self._pending -= len(data)
                is_again_whole = self._has_dropped and not self._parts
                if is_again_whole:
                    self._has_dropped = False
            if is_again_whole:
                self._when_drained()

    def _send(self, data: bytes) -> None:
        while data and not self.is_broken:
            try:
                data = data[os.write(self._descriptor, data) :]
            except InterruptedError:
                continue
            except BlockingIOError:
                threading.Event().wait(0.01)
            except OSError:
                self.is_broken = True

    def stop(self) -> None:
        """Let what is queued go out, but do not wait for a terminal that has stopped reading."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify()
        self.join(JOIN_S)
