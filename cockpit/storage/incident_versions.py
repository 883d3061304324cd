"""What cockpits last wrote into an incident's file: by it an editor that saves what it loaded long ago is found out."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from contextlib import suppress
from dataclasses import dataclass
from math import log2
from pathlib import Path

from cockpit.storage.disk import SHARED, opened
from cockpit.storage.merge import difference, merge

ENCODING = ("utf-8", "surrogateescape")
"""Whatever bytes others wrote are written back as they were."""


def to_bytes(text: str) -> bytes:
    """The text as the file holds it."""
    return text.encode(*ENCODING)


def to_text(content: bytes) -> str:
    """The file as text; nothing in it is lost."""
    return content.decode(*ENCODING)


@dataclass(frozen=True, slots=True)
class Version:
    """One text that a cockpit wrote: when, in milliseconds, and the hash by which it is known."""

    at_ms: int
    hash: str

    @property
    def name(self) -> str:
        """Its file's name."""
        return f"{self.at_ms:015d}-{self.hash}"


def digest(text: str) -> str:
    """What names a text."""
    return hashlib.sha256(to_bytes(text)).hexdigest()[:20]


class Versions:
    """The versions of one incident, in a hidden folder beside it; used only under the folder's lock."""

    def __init__(self, folder: Path, mode: int) -> None:
        self._folder = folder
        self._mode = mode

    def add(self, text: str) -> None:
        """Remember what is about to be written; older versions are thinned out, ever wider apart.

        Raises:
            OSError: it cannot be written.
        """
        self._make()
        known = self.known()
        at_ms = max(int(time.time() * 1000), known[-1].at_ms + 1 if known else 0)
        version = Version(at_ms, digest(text))
        # Not waited for: one that a crash cut short does not have the hash in its name, and counts for nothing.
        with opened(self._folder / version.name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as descriptor:
            os.fchmod(descriptor, self._mode)
            rest = memoryview(to_bytes(text))
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        for each in superfluous((*known, version)):
            with suppress(OSError):
                (self._folder / each.name).unlink()

    def _make(self) -> None:
        """The folder, a team's where the incidents are: mkdir's own mode is cut by whatever umask its maker has."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        entry = self._folder.stat()
        is_ours = entry.st_uid == os.geteuid()
        if self._mode & 0o060 and is_ours and stat.S_IMODE(entry.st_mode) != SHARED:
            self._folder.chmod(SHARED)

    def known(self) -> tuple[Version, ...]:
        """Oldest first."""
        try:
            names = sorted(entry.name for entry in os.scandir(self._folder))
        except OSError:
            return ()
        found = (name.partition("-") for name in names)
        return tuple(Version(int(at), hash) for at, _, hash in found if at.isdigit() and hash)

    def text(self, version: Version) -> str | None:
        """What was written; None where it is not whole."""
        try:
            text = to_text((self._folder / version.name).read_bytes())
        except OSError:
            return None
        return text if digest(text) == version.hash else None

    def reconciled(self, found: str) -> str:
        """What the file should hold, where it holds `found`: lines that somebody overwrote unseen come back.

        The version that `found` was made from is the one that it differs least from; if that is not the newest, its
        editor never saw what came after.
        """
        known = self.known()
        if known and known[-1].hash == digest(found):
            return found
        texts = [text for text in map(self.text, reversed(known)) if text is not None]
        if not texts:
            return found
        newest = texts[0]
        if not found.strip():
            return newest
        made_from = min(texts, key=lambda text: difference(text, found))
        return found if made_from is newest else merge(made_from, newest, found).text


def superfluous(versions: tuple[Version, ...]) -> tuple[Version, ...]:
    """All but the oldest of each age, from a second, two, four, eight ... on, and the two newest of all.

    >>> kept = [Version(at * 1000, "x") for at in range(100)]
    >>> for _ in range(3): kept = [each for each in kept if each not in superfluous(tuple(kept))]
    >>> [each.at_ms // 1000 for each in kept]
    [0, 36, 68, 84, 92, 96, 98, 99]
    """
    if not versions:
        return ()
    newest = versions[-1].at_ms
    kept: dict[int, Version] = {}
    for each in versions[:-2]:
        kept.setdefault(int(log2(max(1.0, (newest - each.at_ms) / 1000))), each)
    return tuple(each for each in versions[:-2] if each not in kept.values())
