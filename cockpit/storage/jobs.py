"""Jobs on disk: one folder each, with the plan, the journal, and a lock held by whoever works on it."""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from cockpit.errors import JournalError
from cockpit.model.job import Job, Phase
from cockpit.storage.disk import (
    append_synced,
    claim_lock,
    is_locked,
    is_shared,
    lock,
    open_file,
    opened,
    private_folder,
    reason,
    sync_folder,
)
from cockpit.storage.fold import ENDS, fold, unreadable
from cockpit.storage.journal import Entry, Journal
from cockpit.text import clean

SHOWN = 50
OLDER_A_LOOK = 100
"""A first look at a job takes a millisecond: a long past is gone through little by little."""
LOCK = "lock"
SETTLED = (Phase.DONE, Phase.FAILED, Phase.CANCELLED)
"""Nothing is ever written to their journals again."""
TICK_NS = 2_000_000_000
"""The coarsest clock of a file system."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What was folded last, and of which state of the file."""

    stamp: tuple[int, int]
    is_held: bool
    job: Job | None


class Claim:
    """The right to work on a job, as a held lock; it can be handed to a child process as its standard input."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def release(self) -> None:
        """Close our copy; a child that inherited it keeps the lock for as long as it lives."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


class JobStore:
    """All jobs of one site."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, _Known] = {}
        self._names: tuple[int, tuple[str, ...]] = (0, ())
        self._past: set[str] = set()
        """Of those that are not among the newest: settled."""
        self._open: set[str] = set()
        """Of those: not settled."""
        self._guard = threading.Lock()

    def folder(self, job_id: str) -> Path:
        """Where this job is kept."""
        return self._folder / job_id

    def create(self, job_id: str, entries: Sequence[Entry]) -> Claim:
        """Make the job's folder, claim it, and write its first entries, which are on the disk on return.

        The names of folder and file are made to survive a power cut by sync(): the way to a halt is short of time, and
        Linux' own file systems write a new file's name together with its contents.

        Raises:
            JournalError: it cannot be written; nothing of it is shown then.
        """
        folder = private_folder(private_folder(self._folder) / job_id)
        try:
            descriptor = open_file(folder / LOCK, os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise JournalError(f"cannot write {folder}: {reason(error)}") from error
        claim = Claim(descriptor)
        try:
            lock(descriptor, f"the job {job_id}")
            self.append(job_id, entries)
        except JournalError:
            claim.release()
            raise
        return claim

    def sync(self, job_id: str) -> None:
        """Have the names of the job's folder and files on the disk.

        Raises:
            JournalError: the disk refused.
        """
        try:
            sync_folder(self.folder(job_id))
            sync_folder(self._folder)
        except OSError as error:
            raise JournalError(f"cannot write {self.folder(job_id)}: {reason(error)}") from error

    def claim(self, job_id: str) -> Claim | None:
        """The right to work on a job that nobody works on; None where somebody does."""
        try:
            descriptor = open_file(self.folder(job_id) / LOCK, os.O_RDWR)
        except OSError:
            return None
        with suppress(OSError):
            if claim_lock(descriptor):
                return Claim(descriptor)
        os.close(descriptor)
        return None

    def append(self, job_id: str, entries: Sequence[Entry]) -> None:
        """Write to the job's journal; on the disk on return.

        Raises:
            JournalError: it cannot be written.
        """
        Journal(self.folder(job_id) / "journal.jsonl").append(entries)

    def entries(self, job_id: str) -> tuple[Entry, ...]:
        """The job's journal."""
        return Journal(self.folder(job_id) / "journal.jsonl").entries()

    def write(self, job_id: str, name: str, text: str) -> None:
        """Put a whole file into the job's folder, which only we can write to; on the disk on return.

        Raises:
            JournalError: it cannot be written.
        """
        file = self.folder(job_id) / name
        draft = file.with_name(f"{name}.new")
        try:
            draft.unlink(missing_ok=True)
            with opened(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as descriptor:
                # A team may look; whoever acts on it must know whose words they are.
                os.fchmod(descriptor, 0o640 if is_shared(file.parent) else 0o600)
                append_synced(descriptor, text.encode("utf-8"))
            # All of it or nothing: a crash in between must not leave half a file that a worker would trust.
            draft.replace(file)
        except OSError as error:
            raise JournalError(f"cannot write {file}: {reason(error)}") from error

    def is_ours(self, job_id: str) -> bool:
        """Whether this user began the job: nobody acts on what somebody else confirmed."""
        try:
            return (self.folder(job_id) / "journal.jsonl").lstat().st_uid == os.geteuid()
        except OSError:
            return False

    def job(self, job_id: str) -> Job | None:
        """One job as it stands; None where there is none of that name."""
        if not job_id or "/" in job_id or job_id.startswith("."):
            return None
        with self._guard:
            return self._fold(job_id)

    def jobs(self, limit: int = SHOWN, older: int = OLDER_A_LOOK) -> tuple[Job, ...]:
        """The newest jobs and all that are not settled, newest first; cheap where nothing changed.

        Of those that are not among the newest, so many are looked at for the first time.

        Raises:
            JournalError: the folder cannot be read: that is not the same as no jobs.
        """
        with self._guard:
            names = self._names_now()
            found = [self._fold(name) for name in names[:limit]]
            open_ones = [self._fold(name) for name in self._unsettled(names[limit:], older)]
        return tuple(job for job in (*found, *open_ones) if job is not None)

    def named(self, action: str) -> tuple[str, ...]:
        """All jobs of this action, newest first.

        Raises:
            JournalError: the folder cannot be read.
        """
        with self._guard:
            names = self._names_now()
        return tuple(name for name in names if f"-{action}-" in name)

    def _unsettled(self, names: Sequence[str], older: int) -> list[str]:
        """Those of them on which somebody works, or of which nobody knows what became."""
        for name in [name for name in names if name not in self._past and name not in self._open][:older]:
            self._open.add(name)
        for name in tuple(self._open.intersection(names)):
            job = self._fold(name)
            if job is None or job.phase in SETTLED:
                self._open.discard(name)
                self._past.add(name)
                self._known.pop(name, None)
        return [name for name in names if name in self._open]

    def _names_now(self) -> tuple[str, ...]:
        """They sort by time."""
        try:
            stamp = self._folder.stat().st_mtime_ns
            # Two jobs may begin within one tick of the file system's clock, and only one of them be seen.
            is_young = abs(time.time_ns() - stamp) < TICK_NS
            if is_young or stamp != self._names[0]:
                names = sorted((entry.name for entry in os.scandir(self._folder)), reverse=True)
                # One that is not fit to be shown was not made by a cockpit.
                self._names = (stamp, tuple(name for name in names if clean(name, 255) == name))
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise JournalError(f"cannot read {self._folder}: {reason(error)}") from error
        return self._names[1]

    def _fold(self, job_id: str) -> Job | None:
        known = self._known.get(job_id)
        if known is not None and known.job is not None and known.job.phase in SETTLED:
            return known.job
        # The lock before the journal: whoever lets go of it has written the end.
        is_held = is_locked(self.folder(job_id) / LOCK)
        try:
            status = (self.folder(job_id) / "journal.jsonl").stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            return unreadable(job_id, 0.0, f"its journal cannot be read: {reason(error)}")
        stamp = (status.st_size, status.st_mtime_ns)
        if known is None or known.stamp != stamp or known.is_held != is_held:
            known = _Known(stamp, is_held, self._read(job_id, is_held, status.st_uid == os.geteuid()))
            self._known[job_id] = known
        return known.job

    def _read(self, job_id: str, is_held: bool, is_ours: bool) -> Job | None:
        try:
            entries = self.entries(job_id)
        except JournalError as error:
            return unreadable(job_id, 0.0, str(error))
        job = fold(job_id, entries, is_held)
        is_left = job is not None and job.phase is Phase.IN_DOUBT and entries[-1].kind not in ENDS
        if job is None or not is_left or is_ours:
            return job
        # Whoever looked after it would do so with the configuration, and the commands, of somebody else.
        return replace(job, error=f"{job.error}; only a cockpit of {job.by} looks what became of it, or --resolve")


def new_job_id(now: float, action: str) -> str:
    """Sorts by time, tells what it is, and is unique: 20260401-194412-381-kill_switch.engage-9f3a."""
    moment = datetime.fromtimestamp(now, UTC)
    return f"{moment:%Y%m%d-%H%M%S}-{moment.microsecond // 1000:03d}-{action}-{secrets.token_hex(2)}"
