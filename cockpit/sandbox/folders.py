"""The sandbox's folder: private, short, locked by the supervisor that lives in it, swept when none does."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import time
from pathlib import Path

from cockpit.errors import SandboxError
from cockpit.paths import runtime_folder

PRIVATE_PREFIX = "cockpit-"
YOUNGEST_SWEPT_S = 10.0
"""A sandbox that is just starting may not hold its lock yet."""
MADE = ("run", "logs", "redis", "bin", "state", "kubecache", "platform")
"""What every sandbox makes first: where one of them is missing, what is in a folder is somebody's."""
LONGEST = 60
"""Bytes of a folder's path: the longest socket below it must stay within 107."""


def base_folder() -> Path:
    """Where sandboxes' folders go. Not XDG_RUNTIME_DIR under root: the Postgres user could not pass through it."""
    return Path("/tmp") if os.geteuid() == 0 else runtime_folder()  # noqa: S108


def shared_folder() -> Path:
    """The folder of the sandbox that `cockpit sandbox up` starts when it is told no other."""
    base = base_folder()
    return base / ("cockpit-sandbox" if base != Path("/tmp") else f"cockpit-sandbox-{os.geteuid()}")  # noqa: S108


def private_folders() -> list[Path]:
    """What may be the folders of private sandboxes, newest first; nothing about them is believed yet."""
    found: list[tuple[float, Path]] = []
    for folder in base_folder().glob(f"{PRIVATE_PREFIX}????????"):
        with contextlib.suppress(OSError):
            found.append((_lock_file(folder).lstat().st_mtime, folder))
    return [folder for _, folder in sorted(found, reverse=True)]


def prepare(folder: Path) -> None:
    """Make the folder, or empty one that a sandbox left behind.

    Raises:
        SandboxError: it is somebody else's, holds other things, or its path is too long.
    """
    if len(os.fsencode(folder)) > LONGEST:
        raise SandboxError(f"{folder} is too long: a sandbox's folder has at most {LONGEST} bytes in its path")
    # Under root the Postgres user must reach its data folder below this one; every other entry is 0700 or 0600.
    mode = 0o711 if os.geteuid() == 0 else 0o700
    try:
        missing = [parent for parent in folder.parents if not parent.exists()]
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for parent in missing:
            parent.chmod(mode)
        entry = folder.lstat()
    except OSError as error:
        raise SandboxError(f"cannot make {folder}: {error.strerror}") from error
    if not stat.S_ISDIR(entry.st_mode) or entry.st_uid != os.geteuid():
        raise SandboxError(f"{folder} is not a folder of ours")
    if any(folder.iterdir()):
        if not all((folder / name).is_dir() for name in MADE):
            raise SandboxError(f"{folder} is not empty, and no sandbox made what is in it: name another folder")
        if is_locked(folder):
            raise SandboxError(f"a sandbox is already running in {folder}")
        empty(folder)
    folder.chmod(mode)


def prepare_run(folder: Path) -> None:
    """Make the folder and those below it that everything else needs first."""
    prepare(folder)
    for name in MADE:
        (folder / name).mkdir(mode=0o700)


def empty(folder: Path) -> None:
    """Remove what is in the folder."""
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)


def lock(folder: Path) -> int:
    """Hold the folder for as long as this process lives.

    Raises:
        SandboxError: another supervisor holds it.
    """
    descriptor = os.open(_lock_file(folder), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise SandboxError(f"a sandbox is already running in {folder}") from error
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    return descriptor


def is_locked(folder: Path) -> bool:
    """Whether a live supervisor holds the folder; a recycled process id cannot deceive a lock."""
    try:
        descriptor = os.open(_lock_file(folder), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def is_ours(folder: Path) -> bool:
    """Whether all that would be believed about the sandbox in the folder is of our own making.

    The folder's name can be guessed, and anybody may make one in /tmp: what stands in its configuration is done.
    """
    return _is_own_lock(folder) and all(_is_own_file(folder / name) for name in ("sandbox.json", "cockpit.yaml"))


def owner_pid(folder: Path) -> int | None:
    """The supervisor's process id, None when none is alive, or when the folder is somebody else's."""
    if not _is_own_lock(folder) or not is_locked(folder):
        return None
    with contextlib.suppress(OSError, ValueError):
        return int(_lock_file(folder).read_text(encoding="ascii"))
    return None


def sweep() -> None:
    """Remove private folders whose supervisor was killed."""
    for folder in private_folders():
        with contextlib.suppress(OSError):
            age_s = time.time() - _lock_file(folder).lstat().st_mtime
            if _is_own_lock(folder) and age_s > YOUNGEST_SWEPT_S and not is_locked(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _is_own_lock(folder: Path) -> bool:
    return _is_own(folder, stat.S_IFDIR) and _is_own(folder / "run", stat.S_IFDIR) and _is_own_file(_lock_file(folder))


def _is_own_file(file: Path) -> bool:
    return _is_own(file, stat.S_IFREG)


def _is_own(path: Path, kind: int) -> bool:
    """It is of that kind and no link, and nobody else could have written it."""
    try:
        entry = path.lstat()
    except OSError:
        return False
    is_writable = entry.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return stat.S_IFMT(entry.st_mode) == kind and entry.st_uid == os.geteuid() and not is_writable


def _lock_file(folder: Path) -> Path:
    return folder / "run" / "lock"
