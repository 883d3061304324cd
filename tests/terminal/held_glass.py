"""A writer on a terminal that is read only when the test does."""

from __future__ import annotations

import os
import pty
import select
import threading
import tty

from cockpit.terminal.writer import PatientWriter

WAIT_S = 20.0


class HeldGlass:
    """The writer, which a test starts where it wants a thread, and the other end of its terminal."""

    def __init__(self) -> None:
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        self.file = os.fdopen(slave, "w")
        self.drained = threading.Event()
        self.writer = PatientWriter(self.file, lambda is_lost: self.drained.set())

    def read(self, count: int) -> bytes:
        """At least so many bytes."""
        found = b""
        while len(found) < count:
            found += self._more(f"only {len(found)} of {count}")
        return found

    def read_to(self, part: bytes) -> bytes:
        """All until that came."""
        found = b""
        while part not in found:
            found += self._more(f"never: {part!r}, only {found!r}")
        return found

    def close(self) -> None:
        self.writer.abandon(0.0)
        os.close(self.master)
        if self.writer.ident is None:
            self.writer.start()
        self.writer.stop()
        self.file.close()

    def _more(self, without: str) -> bytes:
        assert select.select([self.master], [], [], WAIT_S)[0], without
        return os.read(self.master, 65536)
