"""What a job's commands print: whole on disk, without the configured secrets, as long as the disk has room for it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from cockpit.storage.disk import opened, reason
from cockpit.storage.redaction import Redaction

OUTPUT = "output.log"
LOOK_BYTES = 1 << 20
"""The free room is looked at this often."""


class Aside:
    """What a command prints that is only looked at: without the configured secrets, and kept nowhere."""

    shortfall = ""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = secrets
        self._redaction = Redaction(secrets)

    def write(self, chunk: bytes) -> bytes:
        """What of all that came may be shown now."""
        return self._redaction.pass_on(chunk)

    def flush(self) -> bytes:
        """What was held back."""
        return self._redaction.end()

    def aside(self) -> Aside:
        """Another one."""
        return Aside(self._secrets)


class OutputFile:
    """Written as it comes; a disk that refuses costs the output, never the program that prints it."""

    def __init__(
        self,
        folder: Path,
        secrets: Sequence[str] = (),
        most_bytes: int = 256 << 20,
        floor_bytes: int = 0,
    ) -> None:
        """`most_bytes`: beyond them only the count goes on; `floor_bytes`: so much of the disk is left to others."""
        self.file = folder / OUTPUT
        self.size_bytes = _size(self.file)
        self.dropped_bytes = 0
        self.why_dropped = ""
        self._secrets = secrets
        self._redaction = Redaction(secrets)
        self._most_bytes = most_bytes
        self._floor_bytes = floor_bytes
        self._look_at = self.size_bytes

    def write(self, chunk: bytes) -> bytes:
        """Take the next piece; what of all that came may be shown now."""
        text = self._redaction.pass_on(chunk)
        self._keep(text)
        return text

    def flush(self) -> bytes:
        """A program has ended: keep, and show, what was held back."""
        text = self._redaction.end()
        self._keep(text)
        return text

    def aside(self) -> Aside:
        """For what is only looked at."""
        return Aside(self._secrets)

    def close(self) -> None:
        """Write what was held back, and how much is missing."""
        self.flush()
        if self.shortfall:
            with suppress(OSError):
                self._append(f"\n[{self.shortfall}]\n".encode())

    @property
    def shortfall(self) -> str:
        """What is missing in the file, in words; empty where nothing is."""
        if not self.dropped_bytes:
            return ""
        return f"output not kept: {self.why_dropped}; {self.dropped_bytes:,} bytes of it are missing"

    def _keep(self, text: bytes) -> None:
        """Once something is missing, nothing is kept any more: no hole that looks like none."""
        room = self._room(len(text))
        if room:
            try:
                self._append(text[:room])
            except OSError as error:
                room, self.why_dropped = 0, reason(error)
        self.dropped_bytes += len(text) - room

    def _room(self, wanted: int) -> int:
        if self.why_dropped or not wanted:
            return 0
        room = min(wanted, self._most_bytes - self.size_bytes)
        if room < wanted:
            self.why_dropped = f"more than {self._most_bytes >> 20} MB"
        elif self.size_bytes >= self._look_at:
            self._look_at = self.size_bytes + LOOK_BYTES
            if _free(self.file.parent) < self._floor_bytes + wanted:
                self.why_dropped = "the disk is nearly full"
                return 0
        return max(0, room)

    def _append(self, text: bytes) -> None:
        with opened(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT) as descriptor:
            rest = memoryview(text)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        self.size_bytes += len(text)


def read_output(folder: Path, offset: int = 0, limit_bytes: int = 1 << 20) -> bytes:
    """The output from `offset` on; nothing where there is none."""
    try:
        with opened(folder / OUTPUT, os.O_RDONLY) as descriptor:
            return os.pread(descriptor, limit_bytes, offset)
    except OSError:
        return b""


def last_output(folder: Path, limit_bytes: int = 4096) -> bytes:
    """The end of the output."""
    return read_output(folder, max(0, _size(folder / OUTPUT) - limit_bytes), limit_bytes)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _free(folder: Path) -> int:
    """Bytes that the disk still has for us; plenty where nobody says."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return 1 << 62
    return found.f_bavail * found.f_frsize
