"""A worker that dies, or kills its cockpit, at one line of its journal; only this entry point reads where.

DIE_AT is `step_done:0` (just before that line is written) or `output` (once the program has said something); VICTIM is
the process id of the cockpit, empty where the worker itself is the one.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence

from cockpit.jobs import worker
from cockpit.storage.journal import Entry, Journal
from cockpit.storage.output import OutputFile


class Death:
    """Comes once."""

    def __init__(self, place: str, victim: str) -> None:
        self._kind, _, self._number = place.partition(":")
        self._victim = int(victim or os.getpid())
        self._append = Journal.append
        self._write = OutputFile.write
        self._is_over = False

    def arm(self) -> None:
        """Stand between the worker and its files."""

        def append(journal: Journal, entries: Sequence[Entry]) -> None:
            for entry in entries:
                number = entry.facts.get("step", entry.facts.get("proof", ""))
                if entry.kind == self._kind and self._number in ("", str(number)):
                    self._strike()
            self._append(journal, entries)

        def write(output: OutputFile, chunk: bytes) -> bytes:
            if self._kind == "output":
                self._strike()
            return self._write(output, chunk)

        Journal.append = append  # type: ignore[method-assign]
        OutputFile.write = write  # type: ignore[method-assign]

    def _strike(self) -> None:
        if not self._is_over:
            self._is_over = True
            os.kill(self._victim, signal.SIGKILL)


if __name__ == "__main__":
    Death(os.environ["DIE_AT"], os.environ.get("VICTIM", "")).arm()
    sys.exit(worker.main(sys.argv[1:]))
