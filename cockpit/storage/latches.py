"""The latch as a file, latch.json in the state folder: whole or not there, and on the disk before anybody goes on."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path

from cockpit.config import RedisPart
from cockpit.errors import JournalError
from cockpit.model.latch import Latch
from cockpit.storage.disk import append_synced, lock, opened, private_folder, reason, sync_folder
from cockpit.storage.typed import typed

MOST_BYTES = 1 << 14


class DamagedLatch(JournalError):
    """Its file is there and holds no latch."""


class LatchFile:
    """One site's latch; any number of cockpits may read and write it."""

    def __init__(self, folder: Path, part: RedisPart | None) -> None:
        self._folder = folder
        self.where = "" if part is None else f"{part.url} {part.kill_switch_key}"
        self.file = folder / "latch.json"

    def read(self) -> Latch | None:
        """The latch on this Redis; None where nothing is latched.

        Raises:
            JournalError: it cannot be read, so nobody knows whether something is.
            DamagedLatch: what is there is no latch.
        """
        found = self._read()
        return found if found is not None and found.where == self.where else None

    def write(self, latch: Latch) -> None:
        """Latch it; its contents are on the disk on return.

        Its name is made to survive a power cut by sync(): the way to a halt is short of time.

        Raises:
            JournalError: it cannot be written.
        """
        with self._locked():
            self._put(latch)

    def sync(self) -> None:
        """Have the file's name on the disk too."""
        with suppress(OSError):
            sync_folder(self._folder)

    def change(self, latch: Latch, change: Callable[[Latch], Latch]) -> None:
        """Note something about this latch, if it is still the one that stands.

        Raises:
            JournalError: it cannot be written.
        """
        with self._locked():
            found = self.read()
            if found is not None and found.wish_ms == latch.wish_ms:
                self._put(change(found))

    def clear(self, until_ms: int) -> Latch | None:
        """Let go of a latch that is not newer than this; the one that was let go of.

        Raises:
            JournalError: it cannot be removed.
        """
        if not self.file.exists():
            return None
        with self._locked():
            try:
                found = self._read()
            except DamagedLatch:
                found = None  # nobody can make anything of it any more
            else:
                if found is None or found.where != self.where or found.ts_ms > until_ms:
                    return None
            self.file.unlink(missing_ok=True)
            sync_folder(self._folder)
            return found

    def _read(self) -> Latch | None:
        """The latch in the file, whichever Redis it is about."""
        try:
            with opened(self.file, os.O_RDONLY) as descriptor:
                content = os.read(descriptor, MOST_BYTES)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise JournalError(f"{self.file.name}: {reason(error)}") from error
        try:
            return typed(Latch, content)
        except ValueError:
            raise DamagedLatch(f"{self.file.name} is damaged: it holds no latch") from None

    def _put(self, latch: Latch) -> None:
        draft = self.file.with_name("latch.json.new")
        with opened(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as descriptor:
            append_synced(descriptor, json.dumps(asdict(replace(latch, trouble=""))).encode("ascii"))
        draft.replace(self.file)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        private_folder(self._folder)
        try:
            with opened(self._folder / "latch.lock", os.O_RDWR | os.O_CREAT) as descriptor:
                lock(descriptor, "the latch")
                yield
        except OSError as error:
            raise JournalError(f"cannot write {self.file}: {reason(error)}") from error
