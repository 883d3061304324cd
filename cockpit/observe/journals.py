"""Reads the journals on a thread of its own: a state disk that hangs must not hang the watch, the screen or a halt."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress

from cockpit.model.job import Job

EVERY_S = 0.2
IDLE_S = 1.0
"""Where nothing is under way only others can begin something; each look wakes a thread, which is dear."""

Jobs = Callable[[], tuple[Job, ...]]


class Journals:
    """What the disk said last about jobs, as a value that anybody may look at; `read` alone may take its time."""

    def __init__(
        self, read: Jobs, told: Callable[[], None] = lambda: None, beside: Callable[[], Mapping[str, object]] = dict
    ) -> None:
        """`told` is called, on the journals' thread, when jobs or what is `beside` them are others than before."""
        self._read = read
        self._told = told
        self._beside = beside
        self._last: object = None
        self._jobs: tuple[Job, ...] = ()
        self.has_read = False
        """Whether the jobs are known: they have been read once."""
        self._hurry = threading.Event()
        self._is_stopping = False

    def start(self) -> None:
        """Begin to read."""
        threading.Thread(target=self._run, name="journals", daemon=True).start()

    def stop(self) -> None:
        """Read no more; a read that hangs is left behind."""
        self._is_stopping = True
        self._hurry.set()

    def poke(self) -> None:
        """Read again at once."""
        self._hurry.set()

    def jobs(self) -> tuple[Job, ...]:
        """The jobs as last read, newest first; never waits."""
        return self._jobs

    def _run(self) -> None:
        while not self._is_stopping:
            with suppress(Exception):  # the journals' own reader reports what is wrong with them
                self._jobs = self._read()
                self.has_read = True
                self._tell()
            is_busy = any(self._beside().values()) or any(not job.phase.is_over for job in self._jobs)
            self._hurry.wait(EVERY_S if is_busy else IDLE_S)
            self._hurry.clear()

    def _tell(self) -> None:
        """Only what changed is worth waking anybody for."""
        found = (self._jobs, self._beside())
        if found != self._last:
            self._last = found
            self._told()
