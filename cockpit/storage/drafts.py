"""What could not be written where it belongs: kept in the state folder until it can be."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

from cockpit.errors import JournalError
from cockpit.storage.disk import append_synced, opened, private_folder, reason
from cockpit.storage.typed import typed


@dataclass(frozen=True, slots=True)
class Draft:
    """A body that somebody typed, and the one that it was made from."""

    name: str
    """The incident's."""
    base: str
    mine: str
    at: float


@dataclass(frozen=True, slots=True)
class Note:
    """One note that waits."""

    name: str
    text: str
    at: float


class Drafts:
    """One folder of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep_body(self, draft: Draft) -> Path:
        """Keep a body; it takes the place of the one that was kept before.

        Raises:
            JournalError: it cannot be kept here either.
        """
        file = self._file(draft.name)
        self._write(file, json.dumps(asdict(draft)), os.O_TRUNC)
        return file

    def body(self, name: str) -> Draft | None:
        """What was kept of this incident's body; None where nothing was."""
        try:
            return typed(Draft, self._file(name).read_bytes())
        except (OSError, ValueError):
            return None

    def forget_body(self, name: str) -> None:
        """It stands where it belongs."""
        self.forget(self._file(name))

    def keep_note(self, name: str, text: str, at: float) -> Path:
        """Keep a note.

        Raises:
            JournalError: it cannot be kept here either.
        """
        file = self.folder / "notes.jsonl"
        self._write(file, json.dumps(asdict(Note(name, text, at))) + "\n", os.O_APPEND)
        return file

    def notes(self) -> tuple[tuple[Path, tuple[Note, ...]], ...]:
        """The notes that wait, by the file that holds them; to be forgotten once they stand where they belong."""
        file = self.folder / "notes.jsonl"
        with suppress(OSError):
            # Moved away first: a note that comes meanwhile begins a new file, and is not forgotten with these.
            file.replace(file.with_name(f"notes.{time.time_ns()}.waiting"))
        waiting = sorted(self.folder.glob("notes.*.waiting")) if self.folder.is_dir() else []
        # One that cannot be read now waits on.
        read = ((each, _lines(each)) for each in waiting)
        return tuple((each, _notes(lines)) for each, lines in read if lines is not None)

    def settle(self, file: Path) -> None:
        """The notes of this file stand where they belong; what is no note in it is kept under another name."""
        lines = _lines(file)
        if lines is not None and len(_notes(lines)) == len(lines):
            self.forget(file)
        elif lines is not None:
            with suppress(OSError):
                file.replace(file.with_suffix(".unread"))

    def forget(self, file: Path) -> None:
        """They stand where they belong."""
        with suppress(OSError):
            file.unlink()

    def _write(self, file: Path, text: str, how: int) -> None:
        try:
            private_folder(self.folder)
            target = file if how == os.O_APPEND else file.with_name(f"{file.name}.new")
            with opened(target, os.O_WRONLY | os.O_CREAT | how) as descriptor:
                append_synced(descriptor, text.encode("utf-8", "surrogatepass"))
            if target != file:
                target.replace(file)
        except OSError as error:
            raise JournalError(f"cannot write {file}: {reason(error)}") from error

    def _file(self, name: str) -> Path:
        return self.folder / f"{quote(name, safe='')}.body.json"


def _lines(file: Path) -> list[bytes] | None:
    try:
        return file.read_bytes().splitlines()
    except OSError:
        return None


def _notes(lines: Iterable[bytes]) -> tuple[Note, ...]:
    found = []
    for line in lines:
        with suppress(ValueError):
            found.append(typed(Note, line))
    return tuple(found)
