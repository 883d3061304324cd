"""Files that survive a crash: private or a team's, locked between processes, on the disk before anybody goes on."""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cockpit.errors import JournalError

LOCK_WAIT_S = 2.0
CLAIM_TRIES = 5
CLAIM_TRY_S = 0.002
LOCK_TRY_S = 0.002
SHARED = stat.S_ISGID | 0o770
"""The mode of a folder that a team shares: whatever is made in it belongs to its group."""


def private_folder(folder: Path) -> Path:
    """Make the folder, and those above it, where they are missing; nobody else may look into it, or a team's group.

    Raises:
        JournalError: it cannot be made, or is open to others and not ours to close.
    """
    try:
        if not folder.parent.exists():
            # mkdir's own `parents` would make them for everybody to read.
            private_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        entry, above = folder.stat(), folder.parent.stat()
        is_ours = entry.st_uid == os.geteuid()
        if is_shared(folder.parent) and is_ours and entry.st_gid == above.st_gid:
            if stat.S_IMODE(entry.st_mode) != SHARED:
                folder.chmod(SHARED)
        elif entry.st_mode & 0o077 and not is_shared(folder):
            if not is_ours:
                raise PermissionError(None, "it is somebody else's, and no team's (owned by root, mode 2770)")
            folder.chmod(0o700)
    except OSError as error:
        words = f"cannot use the folder {folder}: {reason(error)}; set `state:` to one that can be written"
        raise JournalError(words) from error
    return folder


def is_shared(folder: Path) -> bool:
    """Whether a team keeps its journals here: ours or root's with exactly the mode of a team's, or below such a one."""
    entry = folder.stat()
    if stat.S_IMODE(entry.st_mode) != SHARED:
        return False
    return entry.st_uid in (os.geteuid(), 0) or is_shared(folder.parent)


def open_file(file: Path, flags: int) -> int:
    """A descriptor on a file as private as its folder (0600, a team's 0660), never through a symbolic link."""
    # Of files nothing waits by it; a pipe that somebody put in a file's place would keep us for ever.
    descriptor = os.open(file, flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    if flags & os.O_CREAT:
        try:
            mode = 0o660 if is_shared(file.parent) else 0o600
            entry = os.fstat(descriptor)
            if entry.st_uid == os.geteuid() and stat.S_IMODE(entry.st_mode) != mode:
                os.fchmod(descriptor, mode)
        except OSError:
            os.close(descriptor)
            raise
    return descriptor


@contextmanager
def opened(file: Path, flags: int) -> Iterator[int]:
    """The same, unlocked and closed afterwards."""
    descriptor = open_file(file, flags)
    try:
        yield descriptor
    finally:
        with suppress(OSError):
            # A process that was forked meanwhile has the descriptor too: closing ours would leave it locked.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def whole(file: Path) -> bytes:
    """All of it.

    Raises:
        OSError: it cannot be read, or is no file.
    """
    with opened(file, os.O_RDONLY) as descriptor, os.fdopen(os.dup(descriptor), "rb") as found:
        return found.read()


def lock(descriptor: int, what: str) -> None:
    """Wait, not for ever, until no other process writes; closing the descriptor unlocks.

    Raises:
        JournalError: another process kept the lock, or the file system has none to give.
    """
    # Tried in a loop because flock itself knows no time-out, and a stopped process may hold it.
    for _ in range(int(LOCK_WAIT_S / LOCK_TRY_S)):
        try:
            if try_lock(descriptor):
                return
        except OSError as error:
            raise JournalError(f"{what} cannot be locked: {reason(error)}") from error
        time.sleep(LOCK_TRY_S)
    raise JournalError(f"{what} is locked by another process for more than {LOCK_WAIT_S:.0f} s")


def try_lock(descriptor: int) -> bool:
    """Take the lock if nobody holds it.

    Raises:
        OSError: there are none: NFS locks only what is open for writing, and not while its server is away.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def claim_lock(descriptor: int) -> bool:
    """Take the lock if nobody works under it: whoever only looks, with is_locked(), holds it too, for microseconds.

    Raises:
        OSError: there are none.
    """
    for _ in range(CLAIM_TRIES):
        if try_lock(descriptor):
            return True
        time.sleep(CLAIM_TRY_S)
    return False


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
        os.fsync(descriptor)
    except OSError:
        # Also what was written and is not safe: whoever hears of the failure writes it again.
        with suppress(OSError):
            os.ftruncate(descriptor, size)
        raise


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
