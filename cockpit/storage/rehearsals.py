"""The last rehearsal on disk, so that whoever comes next sees how the runbook stood, and when that was."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

from cockpit.errors import JournalError
from cockpit.model.rehearsal import Rehearsal
from cockpit.storage.disk import append_synced, opened, private_folder, reason
from cockpit.storage.typed import typed

FILE = "readiness.json"
MOST_BYTES = 1 << 20


def read_rehearsal(folder: Path) -> Rehearsal | None:
    """The last one; None where there is none, or none that can be understood."""
    try:
        with opened(folder / FILE, os.O_RDONLY) as descriptor:
            return typed(Rehearsal, os.pread(descriptor, MOST_BYTES, 0))
    except (OSError, ValueError):
        return None


def keep_rehearsal(folder: Path, rehearsal: Rehearsal) -> None:
    """Have it on the disk, whole or not at all.

    Raises:
        JournalError: the disk refused.
    """
    file = private_folder(folder) / FILE
    draft = file.with_name(f"{FILE}.{os.getpid()}.new")
    try:
        with opened(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as descriptor:
            append_synced(descriptor, json.dumps(asdict(rehearsal)).encode())
        draft.replace(file)
    except OSError as error:
        raise JournalError(f"cannot write {file}: {reason(error)}") from error
