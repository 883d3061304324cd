"""Drills on disk, one user's: the one that runs, and those that have ended, with their reports."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cockpit.errors import NOT_OURS, JournalError
from cockpit.model.drill import Drill, Met
from cockpit.storage.disk import append_synced, lock, opened, private_folder, reason

RUNNING = "running.json"
MOST_BYTES = 1 << 20
MOST_KEPT = 500


class Drills:
    """The folder of drills; every function may be called from any thread and process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def held(self) -> Iterator[None]:
        """While it is read, judged and written, nobody else does.

        Raises:
            JournalError: somebody else kept it, or the folder cannot be used.
        """
        try:
            with opened(private_folder(self.folder) / "lock", os.O_RDWR | os.O_CREAT) as descriptor:
                lock(descriptor, "the drill")
                yield
        except OSError as error:
            raise JournalError(f"cannot use {self.folder}: {reason(error)}") from error

    def running(self) -> Drill | None:
        """The one that runs."""
        return _read(self.folder / RUNNING)

    def keep(self, drill: Drill) -> None:
        """Have it on the disk, whole or not at all: as the running one, or among the ended ones.

        Raises:
            JournalError: the disk refused.
        """
        if drill.is_running:
            _write(self.folder / RUNNING, json.dumps(asdict(drill), indent=1))
            return
        _write(self.folder / f"{drill.id}.json", json.dumps(asdict(drill), indent=1))
        (self.folder / RUNNING).unlink(missing_ok=True)

    def ended(self) -> tuple[Drill, ...]:
        """Newest first."""
        files = sorted(self.folder.glob("20*.json"), reverse=True)[:MOST_KEPT] if self.folder.is_dir() else []
        return tuple(filter(None, map(_read, files)))

    def report(self, drill_id: str) -> Path:
        """Where its report is."""
        return self.folder / f"{Path(drill_id).name}.md"

    def keep_report(self, drill_id: str, text: str) -> Path:
        """Write it.

        Raises:
            JournalError: the disk refused.
        """
        file = self.report(drill_id)
        _write(file, text)
        return file


def _read(file: Path) -> Drill | None:
    try:
        with opened(file, os.O_RDONLY) as descriptor:
            fields: dict[str, Any] = json.loads(os.pread(descriptor, MOST_BYTES, 0))
        fields["mets"] = tuple(Met(**one) for one in fields["mets"])
        fields["facts"] = tuple((str(name), str(value)) for name, value in fields["facts"])
        fields["missed"], fields["left"] = tuple(fields["missed"]), tuple(fields["left"])
        return Drill(**fields)
    except (OSError, *NOT_OURS):
        return None


def _write(file: Path, text: str) -> None:
    draft = private_folder(file.parent) / f"{file.name}.{os.getpid()}.new"
    try:
        with opened(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as descriptor:
            append_synced(descriptor, text.encode())
        draft.replace(file)
    except OSError as error:
        raise JournalError(f"cannot write {file}: {reason(error)}") from error
