"""registry.yaml, written anew: whole or not at all, on the disk on return, the old file kept beside it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from cockpit.accounts import user_name
from cockpit.clients.registry import MAX_BYTES
from cockpit.errors import BackendError, Refused
from cockpit.text import clean


def content_of(file: Path) -> bytes:
    """The file's bytes.

    Raises:
        BackendError: it cannot be read.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise BackendError(f"cannot read {clean(file)}: {clean(error.strerror)}") from None
    if len(content) > MAX_BYTES:
        raise BackendError(f"{clean(file)} is larger than {MAX_BYTES >> 10} kB")
    return content


def why_not(file: Path) -> str | None:
    """Why it cannot be written anew with the owner and the group that it has; None where it can."""
    file = file.resolve()
    if not os.access(file.parent, os.W_OK | os.X_OK):
        return f"{clean(file.parent)} may NOT be written"
    try:
        status = file.stat()
    except OSError:
        return None  # whoever reads it says so
    if os.geteuid() == 0:
        return None
    if status.st_uid != os.geteuid():
        return f"it is {user_name(status.st_uid)}'s: only they and root can exchange it and leave it theirs"
    if status.st_gid not in (os.getegid(), *os.getgroups()):
        return f"it is of a group that you are not in ({status.st_gid}): root alone can leave it so"
    return None


def kept_name(file: Path, content: bytes) -> Path:
    """What the old file is kept as: named by what is in it, so that it is never overwritten by something else."""
    return file.with_name(f"{file.name}.{hashlib.sha256(content).hexdigest()[:12]}.old")


def keep(file: Path, content: bytes) -> Path:
    """A copy of the content beside the file, with its mode and owner.

    Raises:
        Refused: it cannot be written.
    """
    kept = kept_name(file, content)
    _write(kept, content, file)
    return kept


def rewrite(file: Path, before: bytes, after: bytes) -> None:
    """Exchange the content, if it still is what it was.

    Raises:
        Refused: somebody else has changed it meanwhile, or it cannot be written; it is as it was.
    """
    # A link stays a link: what it names is exchanged.
    file = file.resolve()
    if content_of(file) != before:
        raise Refused(f"{clean(file.name)} was changed by somebody else meanwhile")
    _write(file, after, file)


def _write(file: Path, content: bytes, like: Path) -> None:
    draft = file.with_name(f".{file.name}.{os.getpid()}.new")
    try:
        status = like.stat()
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(descriptor, status.st_uid, status.st_gid)
            os.fchmod(descriptor, status.st_mode & 0o7777)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        draft.replace(file)
        _sync(file.parent)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise Refused(f"cannot write {clean(file)}: {clean(error.strerror)}") from None


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
