"""What is kept beside the jobs, for whoever looks: their output in pages, and where a walk stands."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

from cockpit.clients.bounded import in_daemon_thread
from cockpit.model.page import Page
from cockpit.model.walk import Walk
from cockpit.storage import pages, walks


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

    def _jobs(self, job_id: str) -> Path:
        return self._folder / "jobs" / Path(job_id).name
