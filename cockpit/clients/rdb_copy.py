"""Redis' file copied, if it is a whole one and of the save that was just made."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from cockpit.clients.kept import share
from cockpit.errors import BackendError
from cockpit.text import clean

BLOCK_BYTES = 4 << 20
CLOCK_S = 1.0
"""File times and Redis' TIME are of one clock, but not of one resolution."""
MAGIC = b"REDIS"
END = 0xFF
"""The last byte before the checksum of 8."""


def copy_rdb(source: Path, target: Path, not_before: float, tell: Callable[[float], None]) -> int:
    """Copy it to the disk; its size.

    Raises:
        BackendError: it cannot be read or written, is older than the save, or is no whole RDB file.
    """
    try:
        with source.open("rb") as file:
            status = os.fstat(file.fileno())
            if status.st_mtime < not_before - CLOCK_S:
                raise BackendError(f"{clean(source)} is older than the save: it is not this server's")
            descriptor = os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                share(descriptor, target.parent)
                copied = 0
                while block := file.read(BLOCK_BYTES):
                    rest = memoryview(block)
                    while rest:
                        rest = rest[os.write(descriptor, rest) :]
                    copied += len(block)
                    tell(copied / max(1, status.st_size))
                os.fsync(descriptor)
                is_whole = os.pread(descriptor, 5, 0) == MAGIC and copied > 18
                is_whole = is_whole and os.pread(descriptor, 1, copied - 9)[0] == END
            finally:
                os.close(descriptor)
    except OSError as error:
        raise BackendError(f"{clean(source)} cannot be copied: {clean(error.strerror)}") from None
    if not is_whole:
        target.unlink(missing_ok=True)
        raise BackendError(f"{clean(source)} is no whole RDB file")
    return copied
