"""What a job's commands print: whole on disk, without the configured secrets; only its end is ever held in memory."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from cockpit.storage.disk import opened

OUTPUT = "output.log"
REDACTED = b"[secret]"
SHORTEST_SECRET = 4
"""What is shorter would blacken half of every output."""


class OutputFile:
    """Written as it comes; a secret that two pieces share is found too."""

    def __init__(self, folder: Path, secrets: Sequence[str] = ()) -> None:
        found = {secret.encode() for secret in secrets if len(secret) >= SHORTEST_SECRET}
        self._secrets = sorted(found, key=len, reverse=True)
        self._kept = max((len(secret) for secret in self._secrets), default=1) - 1
        self._rest = b""
        self.file = folder / OUTPUT
        self.size_bytes = 0

    def write(self, chunk: bytes) -> None:
        """Take the next piece.

        Raises:
            OSError: the disk refused it.
        """
        text = self._redacted(self._rest + chunk)
        cut = max(0, len(text) - self._kept)
        self._rest = text[cut:]
        self._append(text[:cut])

    def close(self) -> None:
        """Write what was held back."""
        rest, self._rest = self._rest, b""
        self._append(rest)

    def _redacted(self, text: bytes) -> bytes:
        for secret in self._secrets:
            text = text.replace(secret, REDACTED)
        return text

    def _append(self, text: bytes) -> None:
        if not text:
            return
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
    try:
        size = (folder / OUTPUT).stat().st_size
    except OSError:
        return b""
    return read_output(folder, max(0, size - limit_bytes), limit_bytes)
