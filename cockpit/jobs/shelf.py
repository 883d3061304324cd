"""What is kept beside the jobs, for whoever looks: their output in pages, where a walk stands, the audit journal."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

from cockpit.clients.bounded import in_daemon_thread
from cockpit.model.audit import AuditRecord, Recent, Soundness
from cockpit.model.page import Page
from cockpit.model.walk import Walk
from cockpit.storage import pages, recent, walks
from cockpit.storage.audit import AuditLog


class Shelf:
    """Reads and writes on threads of their own: a disk that hangs hangs nobody else."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def page(self, job_id: str, offset: int) -> Future[Page]:
        """What a job printed from there on."""
        return in_daemon_thread(pages.page_from, self._jobs(job_id), offset)

    def page_before(self, job_id: str, end: int | None = None) -> Future[Page]:
        """What it printed before that; the last of all where no place is named."""
        return in_daemon_thread(pages.page_until, self._jobs(job_id), end)

    def find(self, job_id: str, needle: str, offset: int, is_forward: bool) -> Future[int | None]:
        """Where the line begins in which the text stands next."""
        return in_daemon_thread(pages.find, self._jobs(job_id), needle, offset, is_forward)

    def walk(self) -> Future[Walk | None]:
        """The walk that was left."""
        return in_daemon_thread(walks.read_walk, self._folder)

    def keep(self, walk: Walk | None) -> Future[None]:
        """Write it down; None forgets it."""
        return in_daemon_thread(walks.keep_walk, self._folder, walk)

    def audit(self, known: Recent) -> Future[Recent]:
        """The newest part of the audit journal; what is known already, where nothing has been written since."""
        return in_daemon_thread(recent.read_recent, self._folder, known)

    def verify(self, now: float) -> Future[Soundness]:
        """Walk the whole chain of the audit journal."""
        return in_daemon_thread(_verified, self._folder, now)

    def export(self, records: Sequence[AuditRecord], now: float) -> Future[Path]:
        """Write these records into a file of their own."""
        return in_daemon_thread(recent.export, self._folder, records, now)

    def _jobs(self, job_id: str) -> Path:
        return self._folder / "jobs" / Path(job_id).name


def _verified(folder: Path, now: float) -> Soundness:
    found = AuditLog(folder).verify()
    if found.problem is not None:
        return Soundness(False, f"BROKEN at line {found.line}: {found.problem}", now)
    notes = "".join(f"; {note}" for note in found.notes)
    return Soundness(True, f"sound: {found.records} records, last hash {found.last_hash[:16]}{notes}", now)
