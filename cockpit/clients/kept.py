"""Kept state: a private folder a snapshot; only one with a manifest counts, and that is written last."""

from __future__ import annotations

import hashlib
import json
import math
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cockpit.errors import BackendError, Refused
from cockpit.text import clean

MANIFEST = "manifest.json"
MOST_BYTES = 1 << 16
LOOKED_AT = 50
"""So many of the newest folders are looked at for one that is whole."""
BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Kept:
    """One snapshot that is whole."""

    folder: Path
    taken_at: float
    """Unix seconds: when it was begun, so that all of it is at least as new."""
    ledger: str | None
    """What was kept of the ledger, in words; None = nothing."""
    ledger_fault: str | None
    """The row at which its chain breaks."""
    redis: str | None
    """What was kept of Redis, in words; None = nothing."""


def stamp(now: float) -> str:
    """A folder's name: sorted by name is sorted by time.

    >>> stamp(1_700_000_000.25)
    '20231114T221320250Z'
    """
    moment = datetime.fromtimestamp(now, UTC)
    return f"{moment:%Y%m%dT%H%M%S}{moment.microsecond // 1000:03d}Z"


def make_folder(parent: Path, name: str) -> Path:
    """A new folder, private, or its team's where the one above belongs to a team.

    Raises:
        Refused: it cannot be made.
    """
    try:
        if not parent.exists():
            parent.parent.mkdir(parents=True, exist_ok=True)
            parent.mkdir(mode=0o700)
        folder = parent / name
        folder.mkdir(mode=0o700)
        if parent.stat().st_mode & stat.S_ISGID:
            # Not by mkdir, whose mode is cut by whatever umask its maker has.
            folder.chmod(stat.S_ISGID | 0o770)
        sync(parent)
    except OSError as error:
        raise Refused(f"cannot make a folder in {clean(parent)}: {clean(error.strerror)}") from None
    return folder


def write_file(file: Path, content: bytes) -> int:
    """A new file, whole or not at all, on the disk on return; its size.

    Raises:
        Refused: it cannot be written, or is there already.
    """
    draft = file.with_name(f".{file.name}.new")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            share(descriptor, file.parent)
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        draft.rename(file)
        sync(file.parent)
    except OSError as error:
        raise Refused(f"cannot write {clean(file)}: {clean(error.strerror)}") from None
    return len(content)


def share(descriptor: int, folder: Path) -> None:
    """Let a team read a new file where the folder is theirs: what one of them kept is kept for all."""
    if folder.stat().st_mode & stat.S_ISGID:
        os.fchmod(descriptor, 0o640)


def sync(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256(file: Path) -> str:
    """Of a whole file.

    Raises:
        BackendError: it cannot be read.
    """
    found = hashlib.sha256()
    try:
        with file.open("rb") as content:
            while block := content.read(BLOCK_BYTES):
                found.update(block)
    except OSError as error:
        raise BackendError(f"cannot read {clean(file)}: {clean(error.strerror)}") from None
    return found.hexdigest()


def newest(parent: Path) -> Kept | None:
    """The newest snapshot that is whole; None where there is none.

    Raises:
        BackendError: the folder cannot be read.
    """
    try:
        names = sorted((one.name for one in os.scandir(parent) if one.is_dir(follow_symlinks=False)), reverse=True)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BackendError(f"cannot look into {clean(parent)}: {clean(error.strerror)}") from None
    found = (_read(parent / name) for name in names[:LOOKED_AT])
    return next((one for one in found if one is not None), None)


def _read(folder: Path) -> Kept | None:
    """None where it has no manifest, or not the files that its manifest names."""
    try:
        with (folder / MANIFEST).open("rb") as file:
            said = json.loads(file.read(MOST_BYTES))
        taken_at = float(said["taken_at"])
        ledger, redis = (_part(folder, said.get(name)) for name in ("ledger", "redis"))
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    if not math.isfinite(taken_at):
        return None
    fault = said["ledger"].get("fault") if ledger is not None else None
    return Kept(folder, taken_at, ledger, None if fault is None else clean(fault, 120), redis)


def _part(folder: Path, said: Mapping[str, Any] | None) -> str | None:
    """What the manifest says of one part, if its file is there and as long as it says."""
    if said is None:
        return None
    name = str(said["file"])
    if "/" in name or (folder / name).lstat().st_size != said["bytes"]:
        raise ValueError(name)
    return clean(said["words"], 160)
