"""The newest part of an audit journal, for whoever looks: what is read does not grow with the journal."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from cockpit.errors import JournalError
from cockpit.model.audit import AuditRecord, Recent
from cockpit.storage.audit import AuditLog
from cockpit.storage.chain import from_line, to_line
from cockpit.storage.disk import append_synced, opened, private_folder, reason

READ_BYTES = 1 << 20
EXPORTS = "exports"


def read_recent(folder: Path, known: Recent | None = None, limit_bytes: int = READ_BYTES) -> Recent:
    """The newest records, newest first; what is known already, where nothing has been written since.

    Raises:
        JournalError: the journal cannot be read.
    """
    file = AuditLog(folder).file
    try:
        with opened(file, os.O_RDONLY) as descriptor:
            size = os.fstat(descriptor).st_size
            if known is not None and known.size_bytes == size:
                return known
            begin = max(0, size - limit_bytes)
            lines = os.pread(descriptor, limit_bytes, begin).split(b"\n")
    except FileNotFoundError:
        return Recent()
    except OSError as error:
        raise JournalError(f"cannot read {file}: {reason(error)}") from error
    # The first one begins before what was read, unless all of it was.
    found = (from_line(body) for body in reversed(lines[begin > 0 :]) if body)
    return Recent(tuple(record for record in found if record is not None), size, begin == 0)


def export(folder: Path, records: Sequence[AuditRecord], now: float) -> Path:
    """These records as they stand in the journal, one a line, in a file of their own.

    Raises:
        JournalError: it cannot be written.
    """
    file = private_folder(folder / EXPORTS) / f"audit-{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%S}.jsonl"
    try:
        with opened(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as descriptor:
            append_synced(descriptor, b"".join(map(to_line, records)))
    except OSError as error:
        raise JournalError(f"cannot write {file}: {reason(error)}") from error
    return file
