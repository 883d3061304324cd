"""Files in a folder that several users share, each believed only as far as the kernel attests whose it is."""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cockpit.errors import JournalError
from cockpit.storage.disk import append_synced, is_shared, private_folder, reason, sync_folder

MOST_BYTES = 1 << 18
STICKY = stat.S_ISVTX | stat.S_ISGID | 0o770
"""Nobody of the team but a file's owner (and the folder's) can replace or remove it."""


@dataclass(frozen=True, slots=True)
class Attested:
    """A file's contents, with its owner and age as the kernel tells them."""

    content: bytes
    uid: int
    at: float
    """Unix seconds of its last change."""


def attested(file: Path) -> Attested | None:
    """The file; None where it is not there, not a file of one name, or one that others than its owner may write."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        entry = os.fstat(descriptor)
        is_plain = stat.S_ISREG(entry.st_mode) and entry.st_nlink == 1 and not entry.st_mode & 0o022
        if not is_plain or entry.st_size > MOST_BYTES:
            return None
        return Attested(os.read(descriptor, MOST_BYTES), entry.st_uid, entry.st_mtime)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def own_text(file: Path) -> str:
    """What this user, and nobody else, wrote into the file: only that is acted on in this user's name.

    Raises:
        JournalError: it is not there, or others may have written it.
    """
    found = attested(file)
    if found is None or found.uid != os.geteuid():
        raise JournalError(f"{file} is not a file that only its owner, this user, can have written")
    try:
        return found.content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise JournalError(f"{file} is no text: {error.reason}") from error


class TeamFolder:
    """A folder in the team's state folder, in which each user has files of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def why_not_shared(self) -> str | None:
        """What must be configured before others can see what is written here; None where they can."""
        state = self.folder.parent
        try:
            if not (state.exists() and is_shared(state)):
                return f"{state} is no team's folder: name one with `state:` (owned by root, mode 2770)"
            if self.folder.exists():
                return self._why_not_believed()
        except OSError as error:
            return f"{state}: {reason(error)}"
        return None

    def put(self, name: str, content: bytes) -> None:
        """Make a new file of ours, all of it or nothing; on the disk on return.

        Raises:
            JournalError: it cannot be written, or is there already.
        """
        self._make()
        file, draft = self.folder / name, self.folder / f".{name}.{secrets.token_hex(4)}.new"
        try:
            self._drop_drafts(name)
            try:
                self._write(draft, content)
                # Unlike a renamed one, a linked file never takes the place of another.
                os.link(draft, file, follow_symlinks=False)
            finally:
                draft.unlink(missing_ok=True)
        except OSError as error:
            raise JournalError(f"cannot write {file}: {reason(error)}") from error
        try:
            sync_folder(self.folder)
        except OSError as error:
            # Said not to be written, it must not count all the same.
            with suppress(OSError):
                file.unlink()
            raise JournalError(f"cannot write {file}: {reason(error)}") from error

    def _write(self, draft: Path, content: bytes) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(draft, flags, 0o600)
        try:
            os.fchmod(descriptor, 0o640 if is_shared(self.folder.parent) else 0o600)
            append_synced(descriptor, content)
        finally:
            os.close(descriptor)

    def _drop_drafts(self, name: str) -> None:
        """Those of ours that a crash left: a file that still has its draft's name beside its own is not believed."""
        for left in self.names(".new", None, f".{name}."):
            with suppress(OSError):
                if (self.folder / left).lstat().st_uid == os.geteuid():
                    (self.folder / left).unlink()

    def names(self, ending: str, most: int | None, beginning: str = "") -> tuple[str, ...]:
        """The newest files whose names begin and end so; all of them without `most`."""
        try:
            names = [entry.name for entry in os.scandir(self.folder)]
        except OSError:
            return ()
        dated = []
        for name in names:
            # One that is taken away meanwhile takes none of the others with it: a refusal must not be overlooked.
            if name.startswith(beginning) and name.endswith(ending):
                with suppress(OSError):
                    dated.append(((self.folder / name).lstat().st_mtime, name))
        return tuple(name for _, name in sorted(dated, reverse=True)[:most])

    def _make(self) -> None:
        state = private_folder(self.folder.parent)
        try:
            if not self.folder.exists():
                self.folder.mkdir(mode=0o700)
                self.folder.chmod(STICKY if is_shared(state) else 0o700)
        except OSError as error:
            raise JournalError(f"cannot make {self.folder}: {reason(error)}") from error
        why = self._why_not_believed()
        if why is not None:
            raise JournalError(why)

    def _why_not_believed(self) -> str | None:
        entry = self.folder.lstat()
        mode = stat.S_IMODE(entry.st_mode)
        if not stat.S_ISDIR(entry.st_mode):
            return f"{self.folder} is no folder"
        if mode & 0o007:
            return f"{self.folder} is open to everybody (mode {mode:o}): it must be {STICKY:o}"
        if mode & 0o070 and not mode & stat.S_ISVTX:
            return f"{self.folder} is not sticky (mode {mode:o}): it must be {STICKY:o}"
        return None
