"""One job at a time per target: a lock that names who holds it, and that dies with its holder."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

from cockpit.errors import NOT_OURS, JournalError, Rejected
from cockpit.storage.disk import claim_lock, is_locked, open_file, opened, private_folder, reason
from cockpit.text import clean

MOST_BYTES = 1 << 14


@dataclass(frozen=True, slots=True)
class Holder:
    """Who works on a target."""

    job: str
    by: str
    title: str

    @property
    def words(self) -> str:
        """For a check or a refusal."""
        return f"{self.by} is at it: {self.title} (job {self.job})"


class Targets:
    """The locks of one site."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def take(self, target: str, holder: Holder) -> int:
        """The held lock's descriptor; closing it lets go, and so does the end of the process.

        Raises:
            Rejected: somebody else holds it.
            JournalError: the lock cannot be written.
        """
        file = self._file(target)
        private_folder(self._folder)
        with ExitStack() as undo:
            try:
                descriptor = open_file(file, os.O_RDWR | os.O_CREAT)
                # What cannot be said of the lock, on a full disk, must not leave it held by nobody who works.
                undo.callback(os.close, descriptor)
                if not claim_lock(descriptor):
                    found = self.holder(target)
                    raise Rejected(found.words if found else f"somebody else works on {target}")
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, json.dumps(asdict(holder)).encode(), 0)
            except OSError as error:
                raise JournalError(f"cannot write {file}: {reason(error)}") from error
            undo.pop_all()
        return descriptor

    def take_all(self, targets: Sequence[str], holder: Holder) -> tuple[int, ...]:
        """All of them or none, in the order given: whoever sorts them cannot wait for somebody who waits for them.

        Raises:
            Rejected: somebody else holds one.
            JournalError: a lock cannot be written.
        """
        taken: list[int] = []
        with ExitStack() as undo:
            for target in targets:
                taken.append(self.take(target, holder))
                undo.callback(os.close, taken[-1])
            undo.pop_all()
        return tuple(taken)

    @contextmanager
    def held(self, targets: Sequence[str], holder: Holder) -> Iterator[None]:
        """All of them for a moment; the same errors."""
        taken = self.take_all(targets, holder)
        try:
            yield
        finally:
            for descriptor in taken:
                os.close(descriptor)

    def holder(self, target: str) -> Holder | None:
        """Who works on it now; None where nobody does."""
        file = self._file(target)
        if not is_locked(file):
            return None
        try:
            with opened(file, os.O_RDONLY) as descriptor:
                fields = json.loads(os.pread(descriptor, MOST_BYTES, 0))
            return Holder(*(clean(fields[name], 120) for name in ("job", "by", "title")))
        except (OSError, *NOT_OURS):
            return Holder("unknown", "somebody", "unknown")

    def _file(self, target: str) -> Path:
        return self._folder / f"{quote(target, safe='')}.lock"
