"""Whether the configuration has changed since it was read; looked at on a thread of its own, for its disk may hang."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path

from cockpit.clock import Clock

EVERY_S = 2.0


class OwnFile:
    """The file as it was when the cockpit read it, and whether it is another one now."""

    def __init__(self, file: Path, clock: Clock) -> None:
        self._file = file
        self._clock = clock
        self._sign: object = None
        self._text: bytes | None = None
        self._ends = threading.Event()
        self.changed: tuple[str, float] | None = None
        """Its name, and the Unix seconds at which it was first seen to be another."""
        self.look()

    def start(self) -> None:
        """Begin to look."""
        threading.Thread(target=self._run, name="configuration", daemon=True).start()

    def stop(self) -> None:
        """Look no more; a look that hangs is left behind."""
        self._ends.set()

    def look(self) -> None:
        """Look once; read only where somebody wrote. A file that is away, as while it is written, tells nothing."""
        with suppress(OSError):
            entry = self._file.stat()
            sign = (entry.st_mtime_ns, entry.st_size, entry.st_ino)
            if sign == self._sign:
                return
            text = self._file.read_bytes()
            self._sign = sign
            if self._text is None:
                self._text = text
            self.changed = None if text == self._text else (self._file.name, self._clock.now())

    def _run(self) -> None:
        while not self._ends.wait(EVERY_S):
            self.look()
