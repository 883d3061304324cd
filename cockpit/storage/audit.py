"""The audit journal: append-only, chained by hashes, on the disk before append() returns."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from cockpit.errors import JournalError
from cockpit.model.audit import AuditRecord
from cockpit.storage.chain import GENESIS, Head, chained, from_line, to_line
from cockpit.storage.disk import append_synced, lock, opened, private_folder, reason, sync_folder, whole
from cockpit.storage.verification import DAMAGED, REPAIRED, Verification, Walk

SLACK_S = 60.0
"""A job's record may be written this much later than the job, and clocks step."""
_REF = re.compile(rb'"ref":"([^"]*)"')
"""The first of a line: whatever text could quote it stands behind it."""
_JOB = re.compile(r"\d{8}-\d{6}-")


class AuditLog:
    """One site's audit journal; any number of processes and threads may append to it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.file = folder / "audit.jsonl"
        self.head_file = folder / "audit.head"

    def append(self, draft: AuditRecord) -> AuditRecord:
        """Chain the record (its own `prev` and `hash` are ignored), and return once it is on the disk.

        Raises:
            JournalError: it is not written.
        """
        private_folder(self._folder)
        try:
            with opened(self.file, os.O_RDWR | os.O_APPEND | os.O_CREAT) as descriptor:
                lock(descriptor, "the audit journal")
                return self._append_locked(descriptor, draft)
        except OSError as error:
            raise JournalError(f"cannot write {self.file}: {reason(error)}") from error

    def _append_locked(self, descriptor: int, draft: AuditRecord) -> AuditRecord:
        head = self._read_head()
        size = os.fstat(descriptor).st_size
        drafts, content = [draft], b""
        if size == 0 and head is None:
            head = Head(0, 0, GENESIS)
            sync_folder(self._folder)
        elif head is None or head.size_bytes != size:
            found = self.verify()
            drafts = [*_remarks(found, head, draft), draft]
            content = b"\n" if found.lacks_newline else b""
            head = Head(found.lines, size, found.last_hash)
        prev = head.hash
        for each in drafts:
            record = chained(each, prev)
            prev = record.hash
            content += to_line(record)
        append_synced(descriptor, content)
        # The record is safe now: a head that cannot be written is found behind by the next append, nothing worse.
        with suppress(OSError):
            self._write_head(Head(head.lines + len(drafts), os.fstat(descriptor).st_size, prev))
        return record

    def _read_head(self) -> Head | None:
        try:
            return Head.from_bytes(whole(self.head_file))
        except FileNotFoundError:
            return None

    def _write_head(self, head: Head) -> None:
        """In place and not waited for: other processes see it at once, sync_head() makes it survive a power cut."""
        with opened(self.head_file, os.O_WRONLY | os.O_CREAT) as descriptor:
            os.pwrite(descriptor, head.to_bytes(), 0)

    def sync_head(self) -> None:
        """Have the head on the disk too; a head lost with the power is found behind, and said, never wrong."""
        with suppress(OSError), opened(self.head_file, os.O_WRONLY) as descriptor:
            os.fdatasync(descriptor)

    def tail(self, count: int | None = None) -> tuple[AuditRecord, ...]:
        """The last records, oldest first; all of them without a count. Lines that are no records are left out.

        Raises:
            JournalError: it cannot be read.
        """
        found = (from_line(line.removesuffix(b"\n")) for line in self._lines())
        return tuple(deque((record for record in found if record is not None), maxlen=count))

    def first(self, kind: str, ref: str) -> AuditRecord | None:
        """The first record of that kind about `ref`; None where there is none.

        Raises:
            JournalError: it cannot be read.
        """
        mark = ref.encode("ascii", "replace")
        for line in self._lines():
            record = from_line(line.removesuffix(b"\n")) if mark in line else None
            if record is not None and (record.kind, record.ref) == (kind, ref):
                return record
        return None

    def about(self, refs: Collection[str]) -> tuple[AuditRecord, ...]:
        """All records about these, oldest first.

        Raises:
            JournalError: it cannot be read.
        """
        marks = {ref.encode("ascii", "replace") for ref in refs}
        lines = (line for line in self._lines() if (found := _REF.search(line)) is not None and found[1] in marks)
        records = (from_line(line.removesuffix(b"\n")) for line in lines)
        return tuple(record for record in records if record is not None)

    def verify(self) -> Verification:
        """Walk the whole chain.

        Raises:
            JournalError: it cannot be read.
        """
        try:
            head = self._read_head()
        except OSError as error:
            raise JournalError(f"cannot read {self.head_file}: {reason(error)}") from error
        found = Walk(head).over(self._lines())
        missing = self._what_is_missing() if found.is_sound else None
        return found if missing is None else replace(found, line=1, problem=missing)

    def _what_is_missing(self) -> str | None:
        """What a journal that was taken away whole leaves behind: jobs that are older than its first record."""
        try:
            jobs = sorted(entry.name for entry in (self._folder / "jobs").iterdir() if _JOB.match(entry.name))
        except OSError:
            return None
        if len(jobs) < 2:
            return None  # the very first may have died with its cockpit before either wrote a record
        oldest = jobs[0]
        first = next((record for line in self._lines() if (record := from_line(line.removesuffix(b"\n")))), None)
        if first is None:
            return f"there is no record, yet jobs were done here since {oldest[:15]}"
        begins = f"{datetime.fromtimestamp(first.at - SLACK_S, UTC):%Y%m%d-%H%M%S}"
        return f"it begins after a job of {oldest[:15]}: what stood before is missing" if oldest < begins else None

    def _lines(self) -> Iterator[bytes]:
        try:
            with opened(self.file, os.O_RDONLY) as descriptor, os.fdopen(os.dup(descriptor), "rb") as file:
                yield from file
        except FileNotFoundError:
            return
        except OSError as error:
            raise JournalError(f"cannot read {self.file}: {reason(error)}") from error


def _remarks(found: Verification, head: Head | None, draft: AuditRecord) -> list[AuditRecord]:
    """What the journal must say about itself before it goes on: nothing is repaired in silence."""
    remarks = []
    if found.leftover is not None:
        # The remains stay where they are: what a crash left is evidence too.
        text = "what stands before this line was cut short by a crash"
        remarks.append(replace(draft, kind=REPAIRED, ref=found.leftover, text=text))
    elif found.lacks_newline:
        remarks.append(replace(draft, kind=REPAIRED, ref="", text="the record before this line lacked its newline"))
    is_cut = head is not None and (head.lines > found.lines or head.size_bytes > found.size_bytes)
    if is_cut or (head is None and found.lines > 1):
        text = f"the journal was not what had been written before this line: {found.problem}"
        remarks.append(replace(draft, kind=DAMAGED, ref="", text=text))
    return remarks
