"""One incident's file: read whole, changed under a lock that all cockpits share, written whole or not at all."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cockpit.errors import JournalError
from cockpit.storage.disk import append_synced, lock, open_file, opened, reason, sync_folder
from cockpit.storage.incident_told import Told
from cockpit.storage.incident_versions import Versions, digest, to_bytes, to_text

HIDDEN = ".cockpit"
"""Lock and versions, beside the incidents."""
MOST_BYTES = 8_000_000
SETTLED_S = 0.15
"""A file that was written more recently than this by somebody else may still be being written."""
SETTLE_TRIES = 12
WRITE_TRIES = 5

Stamp = tuple[int, int, int]
"""Inode, time of change and size: what tells one state of a file from another."""


def stamp(file: Path) -> Stamp | None:
    """The state of the file; None where there is none that may be read."""
    try:
        entry = file.lstat()
    except OSError:
        return None
    return (entry.st_ino, entry.st_mtime_ns, entry.st_size) if stat.S_ISREG(entry.st_mode) else None


def read(file: Path) -> str:
    """All of it.

    Raises:
        JournalError: it cannot be read, or is too large to be an incident.
    """
    try:
        with opened(file, os.O_RDONLY | os.O_NONBLOCK) as descriptor:
            entry = os.fstat(descriptor)
            if not stat.S_ISREG(entry.st_mode):
                raise JournalError(f"cannot read {file.name}: it is no regular file")
            if entry.st_size > MOST_BYTES:
                raise JournalError(f"cannot read {file.name}: it is larger than {MOST_BYTES // 1_000_000} MB")
            parts = []
            while part := os.read(descriptor, 1 << 20):
                parts.append(part)
    except OSError as error:
        raise JournalError(f"cannot read {file.name}: {reason(error)}") from error
    return to_text(b"".join(parts))


def update(file: Path, change: Callable[[str], str]) -> str:
    """Change the file as it stands now, under the lock; the text that is in it on return, on the disk.

    Raises:
        JournalError: it cannot be read or written; it is then as it was.
    """
    with locked(file.parent):
        versions = _versions(file)
        for _ in range(WRITE_TRIES):
            found, seen = _settled(file, versions)
            text = change(versions.reconciled(found))
            if text == found:
                return text
            if _write(file, text, versions, seen):
                return text
    raise JournalError(f"{file.name} is being changed by somebody else all the time: not written")


def create(folder: Path, names: Iterator[str], text: str) -> Path:
    """A new file under the first of these names that is free.

    Raises:
        JournalError: it cannot be written.
    """
    with locked(folder):
        file = next(path for path in (folder / f"{name}.md" for name in names) if not path.exists())
        _write(file, text, _versions(file), None)
    return file


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One cockpit at a time writes; other editors know nothing of it."""
    try:
        with opened(_hidden(folder) / "lock", os.O_RDWR | os.O_CREAT) as descriptor:
            with suppress(OSError):
                os.fchmod(descriptor, mode_in(folder))
            lock(descriptor, "the folder of incidents")
            yield
    except OSError as error:
        raise JournalError(f"cannot write in {folder}: {reason(error)}") from error


def for_writers(folder: Path, name: str) -> int:
    """A descriptor on a hidden file that whoever may write incidents can lock, and nobody else.

    Raises:
        OSError: this user may not, or there is no room.
    """
    file = _hidden(folder) / name
    try:
        return open_file(file, os.O_RDWR)
    except FileNotFoundError:
        # Once only: making it anew would close it to the others for a moment.
        descriptor = open_file(file, os.O_RDWR | os.O_CREAT)
        with suppress(OSError):
            os.fchmod(descriptor, mode_in(folder))
        return descriptor


def _hidden(folder: Path) -> Path:
    hidden = folder / HIDDEN
    _make(folder)
    if not hidden.is_dir():
        _make(hidden)
        with opened(hidden / ".gitignore", os.O_WRONLY | os.O_CREAT) as descriptor:
            os.write(descriptor, b"*\n")
    return hidden


def mode_in(folder: Path) -> int:
    """0660 in a folder that a team shares (its group may write, and owns what is made there), else 0600."""
    shared = stat.S_ISGID | stat.S_IWGRP
    return 0o660 if folder.stat().st_mode & shared == shared else 0o600


def _make(folder: Path) -> None:
    if folder.is_dir():
        return
    if not folder.parent.exists():
        _make(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    if mode_in(folder.parent) == 0o660:
        folder.chmod(0o2770)


def told(file: Path) -> Told:
    """Which lines of its timeline cockpits wrote."""
    return Told(file.parent / HIDDEN / file.stem, mode_in(file.parent))


def _versions(file: Path) -> Versions:
    return Versions(file.parent / HIDDEN / file.stem, mode_in(file.parent))


def _settled(file: Path, versions: Versions) -> tuple[str, Stamp | None]:
    """The text once nobody is in the middle of writing it: some editors empty the file first."""
    for _ in range(SETTLE_TRIES):
        seen = stamp(file)
        text = read(file)
        known = versions.known()
        is_ours = bool(known) and known[-1].hash == digest(text)
        if seen == stamp(file) and seen is not None:
            old_s = time.time() - seen[1] / 1e9
            if is_ours or not 0 <= old_s < SETTLED_S:
                break
        time.sleep(SETTLED_S / 3)
    return text, seen


def _write(file: Path, text: str, versions: Versions, seen: Stamp | None) -> bool:
    """All of it or nothing, on the disk on return; False where somebody else wrote meanwhile."""
    draft = file.with_name(f".{file.stem}.new")
    try:
        versions.add(text)
        with opened(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as descriptor:
            os.fchmod(descriptor, _mode(file))
            append_synced(descriptor, to_bytes(text))
        if stamp(file) != seen:
            return False
        draft.replace(file)
        sync_folder(file.parent)
    except OSError as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise JournalError(f"cannot write {file}: {reason(error)}") from error
    return True


def _mode(file: Path) -> int:
    """As it was; a new one as private as its folder."""
    try:
        return stat.S_IMODE(file.stat().st_mode) & 0o666
    except OSError:
        return mode_in(file.parent)
