"""The walk through a section: kept on disk at every step, so that it can be gone on with, by another cockpit too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future

from cockpit.model.action import ActionSpec
from cockpit.model.job import Job, Phase
from cockpit.model.walk import Passed, Walk
from cockpit.screens.desk import Desk

LOOK_AGAIN_S = 3.0


class Walking:
    """Where the walk of this site stands, as this cockpit knows it; tells through `changed`."""

    def __init__(self, desk: Desk, changed: Callable[[str], None]) -> None:
        self._desk = desk
        self._changed = changed
        self._looked_at = float("-inf")
        self._writing = 0
        """Which of our moves is being written; 0 while none is."""
        self._moves = 0
        self.walk: Walk | None = None

    def look(self) -> None:
        """What is on the disk, now and then: another cockpit may go on with it, and its job may have ended."""
        session, now = self._desk.session, self._desk.clock.monotonic()
        if session is None:
            return
        if now - self._looked_at >= LOOK_AGAIN_S and not self._writing:
            self._looked_at = now
            asked = self._moves
            session.shelf.walk().add_done_callback(lambda done: self._desk.soon(self._read, asked, done))
        if self.walk is not None and self.walk.job is not None:
            self.ended(session.job(self.walk.job))

    def begin(self, steps: Sequence[ActionSpec]) -> None:
        """At the first step of a section."""
        first = steps[0]
        names = tuple(step.step for step in steps)
        self._keep(Walk(first.section, first.section_title, names, self._desk.operator, self._desk.clock.now()))

    def began(self, job: Job) -> None:
        """The present step has a job now."""
        if self.walk is not None:
            self._keep(self.walk.with_job(job.id, self._desk.operator, self._desk.clock.now()))
            self.ended(job)

    def ended(self, job: Job | None) -> None:
        """Only what is proven lies behind; anything else is for the operator to decide."""
        if self.walk is not None and job is not None and job.id == self.walk.job and job.phase is Phase.DONE:
            self.past(Passed.PROVEN)

    def past(self, passed: Passed) -> None:
        """On to the next step."""
        if self.walk is not None and self.walk.step is not None:
            self._keep(self.walk.past(passed, self._desk.operator, self._desk.clock.now()))

    def end(self) -> None:
        """Forget it."""
        self._keep(None)

    def _keep(self, walk: Walk | None) -> None:
        self.walk = walk
        self._moves += 1
        if not self._writing:
            self._write()

    def _write(self) -> None:
        """One at a time: two threads that write it at once could leave the older one, or half of each."""
        session = self._desk.session
        assert session is not None
        self._writing = self._moves
        session.shelf.keep(self.walk).add_done_callback(lambda done: self._desk.soon(self._kept, done))

    def _kept(self, done: Future[None]) -> None:
        written, self._writing = self._writing, 0
        if written != self._moves:
            self._write()
        error = done.exception()
        self._changed(f"The walk goes on, but is not kept: {error}" if error else "")

    def _read(self, asked: int, done: Future[Walk | None]) -> None:
        """What was read before our own last move is older than that."""
        if asked == self._moves and not self._writing and done.exception() is None and done.result() != self.walk:
            self.walk = done.result()
            self._changed("")
