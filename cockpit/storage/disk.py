"""Files that survive a crash: private, locked between processes, and on the disk before anybody goes on."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cockpit.errors import JournalError

LOCK_WAIT_S = 2.0
LOCK_TRY_S = 0.002


def private_folder(folder: Path) -> Path:
    """Make the folder, and those above it, where they are missing; nobody else may look into it.

    Raises:
        JournalError: it cannot be made.
    """
    try:
        if not folder.parent.exists():
            # mkdir's own `parents` would make them for everybody to read.
            private_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.stat().st_mode & 0o077:
            folder.chmod(0o700)
    except OSError as error:
        words = f"cannot use the folder {folder}: {reason(error)}; set `state:` to one that can be written"
        raise JournalError(words) from error
    return folder


@contextmanager
def opened(file: Path, flags: int) -> Iterator[int]:
    """A descriptor on a private file (0600), never through a symbolic link, closed afterwards."""
    descriptor = os.open(file, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def lock(descriptor: int, what: str) -> None:
    """Wait, not for ever, until no other process writes; closing the descriptor unlocks.

    Raises:
        JournalError: another process kept the lock.
    """
    # Tried in a loop because flock itself knows no time-out, and a stopped process may hold it.
    for _ in range(int(LOCK_WAIT_S / LOCK_TRY_S)):
        if try_lock(descriptor):
            return
        time.sleep(LOCK_TRY_S)
    raise JournalError(f"{what} is locked by another process for more than {LOCK_WAIT_S:.0f} s")


def try_lock(descriptor: int) -> bool:
    """Take the lock if nobody holds it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_locked(file: Path) -> bool:
    """Whether a living process holds the lock of this file."""
    try:
        with opened(file, os.O_RDONLY) as descriptor:
            # Shared: two processes that look at the same moment do not take each other for the holder.
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def append_synced(descriptor: int, content: bytes) -> None:
    """Append everything and wait for the disk, or leave the file as it was; whoever shares the file holds its lock.

    Raises:
        OSError: it could not be written; nothing of it is left where that could be undone.
    """
    size = os.fstat(descriptor).st_size
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    except OSError:
        os.ftruncate(descriptor, size)
        raise
    os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def reason(error: OSError) -> str:
    """The error in a few words, without its number.

    >>> reason(OSError(28, "No space left on device"))
    'no space left on device'
    """
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]
