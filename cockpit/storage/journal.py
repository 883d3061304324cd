"""One job's journal: lines of JSON, each on the disk before the job goes on."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cockpit.errors import NOT_OURS, JournalError
from cockpit.storage.disk import append_synced, lock, opened, reason, whole

FAR_S = 1e11
"""No calendar shows what is later."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened to a job."""

    at: float
    """Unix seconds."""
    kind: str
    """submitted confirmed working step_started step_progress step_done step_failed step_unknown note left_behind
    verifying proof cancel done failed in_doubt cancelled resolved"""
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_line(self) -> bytes:
        """The entry as the file holds it, with its newline."""
        fields = {"at": round(self.at, 6), "kind": self.kind, **self.facts}
        return json.dumps(fields, separators=(",", ":")).encode("ascii") + b"\n"


class Journal:
    """The file journal.jsonl of one job."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def append(self, entries: Sequence[Entry]) -> None:
        """Return once they are on the disk.

        Raises:
            JournalError: they are not.
        """
        content = b"".join(entry.to_line() for entry in entries)
        try:
            with opened(self.file, os.O_RDWR | os.O_APPEND | os.O_CREAT) as descriptor:
                # The cockpit and the worker may write at once, and who fails cuts off what it wrote.
                lock(descriptor, str(self.file))
                append_synced(descriptor, _line_end(descriptor) + content)
        except OSError as error:
            raise JournalError(f"cannot write {self.file}: {reason(error)}") from error

    def entries(self) -> tuple[Entry, ...]:
        """What is written; a last line that a crash cut short was never acknowledged, so it does not count."""
        try:
            content = whole(self.file)
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise JournalError(f"cannot read {self.file}: {reason(error)}") from error
        found: list[Entry] = []
        for number, line in enumerate(content.split(b"\n")[:-1], 1):
            entry = from_line(line)
            if entry is None:
                # What a crash cut short was never acknowledged; of what was damaged later at least this is known.
                words = f"line {number} of its journal cannot be read: cut short by a crash, or damaged"
                entry = Entry(found[-1].at if found else 0.0, "note", {"text": words})
            found.append(entry)
        return tuple(found)


def from_line(line: bytes) -> Entry | None:
    """The entry in a line; None where it is none."""
    try:
        fields = json.loads(line)
        at = float(fields.pop("at"))
        return Entry(at, str(fields.pop("kind")), fields) if 0 <= at < FAR_S else None
    except NOT_OURS:
        return None


def _line_end(descriptor: int) -> bytes:
    """A newline where a crash left the last line without one."""
    size = os.fstat(descriptor).st_size
    return b"\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else b""
