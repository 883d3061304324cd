"""The audit as the runner keeps it: written on the scribe's thread, and owed, never lost, while the disk refuses."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import TypeVar

from cockpit.clock import Clock
from cockpit.errors import JournalError
from cockpit.jobs.scribe import Scribe
from cockpit.model.audit import AuditRecord, Operator
from cockpit.model.world import World
from cockpit.storage.audit import AuditLog
from cockpit.text import clean

T = TypeVar("T")
TEXT_LIMIT = 8000
"""The commands of a long step are that long; what decides comes before them, should they be longer still."""


class Minutes:
    """Audit records of one operator on one site."""

    def __init__(self, log: AuditLog, scribe: Scribe, clock: Clock, who: Operator, world: World, site: str) -> None:
        self._log = log
        self._scribe = scribe
        self._clock = clock
        self._blank = AuditRecord(0.0, who, "", world.value, site, "", "", "", "")
        self._owed: list[AuditRecord] = []
        self.error: str | None = None
        """Why the last try failed; None after one that worked."""

    def write(self, kind: str, text: str, ref: str = "") -> Future[None]:
        """Have it written; the future is done when it is on the disk, or holds a JournalError."""
        draft = replace(self._blank, at=round(self._clock.now(), 6), kind=kind, ref=ref, text=clean(text, TEXT_LIMIT))
        return self._scribe.tell(lambda: self._write(draft))

    def tell(self, do: Callable[[AuditLog], T]) -> Future[T]:
        """Have something else done with the audit, in its turn."""
        return self._scribe.tell(lambda: do(self._log))

    def retry(self) -> None:
        """Try again what is owed."""
        if self._owed:
            self._scribe.tell(self._pay)

    @property
    def owed(self) -> int:
        """How many records wait for the disk."""
        return len(self._owed)

    def _write(self, draft: AuditRecord) -> None:
        self._owed.append(draft)
        self._pay()

    def _pay(self) -> None:
        """In their order; what was late says so."""
        while self._owed:
            try:
                self._log.append(self._owed[0])
            except Exception as error:
                # Also a mistake of ours: unsaid, it would keep every later record from being written.
                self.error = str(error) if isinstance(error, JournalError) else f"{type(error).__name__}: {error}"
                self._owed = [late(record) for record in self._owed]
                raise JournalError(self.error) from error
            del self._owed[0]
        self.error = None
        self._scribe.tell(self._log.sync_head)


def late(record: AuditRecord) -> AuditRecord:
    """The record as it says that it stands where it does because the audit refused it at the time."""
    mark = " [written late: the audit could not be written at the time]"
    return record if record.text.endswith(mark) else replace(record, text=record.text + mark)
