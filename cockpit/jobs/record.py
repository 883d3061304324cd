"""A job's journal as its performer keeps it: in memory at once, on the disk as soon as the disk allows."""

from __future__ import annotations

import threading
from concurrent.futures import Future

from cockpit.errors import JournalError
from cockpit.jobs.scribe import Scribe
from cockpit.model.job import Job
from cockpit.storage.fold import fold
from cockpit.storage.jobs import Claim, JobStore
from cockpit.storage.journal import Entry


class Record:
    """Written from any thread; the file itself only on the scribe's."""

    def __init__(self, store: JobStore, scribe: Scribe, job_id: str) -> None:
        self._store = store
        self._scribe = scribe
        self._guard = threading.Lock()
        self._entries: list[Entry] = []
        self._saved = 0
        self.id = job_id
        self.claim: Claim | None = None
        self._is_kept_here = False
        self._has_worker = False

    def keep_here(self) -> bool:
        """Take the proof into this process, because the disk did not take the journal; False once a worker has it."""
        with self._guard:
            self._is_kept_here = not self._has_worker
            return self._is_kept_here

    def begin_launch(self) -> bool:
        """Give the proof to a worker; False where it is kept here. Only one of both may write the journal."""
        with self._guard:
            self._has_worker = not self._is_kept_here
            return self._has_worker

    def fail_launch(self) -> None:
        """No worker came of it: it may be kept here."""
        with self._guard:
            self._has_worker = False

    def write(self, *entries: Entry) -> Future[None]:
        """Note them; the future is done when they are on the disk, or holds a JournalError."""
        with self._guard:
            self._entries += entries
        return self._scribe.tell(self.save)

    def save(self) -> None:
        """Write what is not on the disk yet; on the scribe's thread.

        Raises:
            JournalError: it cannot be written; it is kept for the next try.
        """
        with self._guard:
            pending = self._entries[self._saved :]
        if not pending:
            return
        if self.claim is None:
            self.claim = self._store.create(self.id, pending)
        else:
            self._store.append(self.id, pending)
        self._saved += len(pending)

    @property
    def is_saved(self) -> bool:
        """Whether the disk has everything."""
        with self._guard:
            return self._saved == len(self._entries)

    def entries(self) -> tuple[Entry, ...]:
        """All that happened so far."""
        with self._guard:
            return tuple(self._entries)

    def job(self) -> Job:
        """The job by what this process knows."""
        with self._guard:
            entries = tuple(self._entries)
        job = fold(self.id, entries, is_held=True)
        if job is None:
            raise JournalError("the job has not begun")
        return job

    def release(self) -> None:
        """Let go of the job."""
        if self.claim is not None:
            self.claim.release()
