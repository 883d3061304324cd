"""Where the walk through a section stands, on disk: one a site, so that another cockpit can go on with it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

from cockpit.errors import JournalError
from cockpit.model.walk import Walk
from cockpit.storage.disk import append_synced, opened, private_folder, reason
from cockpit.storage.typed import typed

FILE = "walk.json"
MOST_BYTES = 64 << 10


def read_walk(folder: Path) -> Walk | None:
    """The walk that was left; None where there is none, or none that can be understood."""
    try:
        with opened(folder / FILE, os.O_RDONLY) as descriptor:
            return typed(Walk, os.pread(descriptor, MOST_BYTES, 0))
    except (OSError, ValueError):
        return None


def keep_walk(folder: Path, walk: Walk | None) -> None:
    """Have it on the disk, whole or not at all; None forgets it.

    Raises:
        JournalError: the disk refused.
    """
    file = private_folder(folder) / FILE
    try:
        if walk is None:
            file.unlink(missing_ok=True)
            return
        draft = file.with_name(f"{FILE}.{os.getpid()}.new")
        with opened(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as descriptor:
            append_synced(descriptor, json.dumps(asdict(walk)).encode())
        draft.replace(file)
    except OSError as error:
        raise JournalError(f"cannot write {file}: {reason(error)}") from error
