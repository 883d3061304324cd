"""Since when findings stand, on disk: one file a site, so that a cockpit that is opened later need not begin anew."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from cockpit.errors import JournalError
from cockpit.model.finding import Seen, Since
from cockpit.storage.disk import lock, opened, reason

FILE = "seen.json"
MOST = 500
MOST_BYTES = 1 << 18

Key = tuple[str, str]
Known = Mapping[Key, Seen]
"""Rule and subject -> what was seen of it."""
Platforms = dict[str, Known]


def read_seen(folder: Path, platform: str) -> Known:
    """What was seen on this platform; nothing where there is no file, or none that can be understood."""
    if not (folder / FILE).exists():
        return MappingProxyType({})
    try:
        with _locked(folder, os.O_RDONLY) as descriptor:
            return _read(descriptor).get(platform, MappingProxyType({}))
    except JournalError:
        return MappingProxyType({})


def change_seen(folder: Path, platform: str, change: Callable[[Known], Known]) -> None:
    """Put what `change` makes of it in its place; other cockpits wait meanwhile.

    It is not waited for the disk: what a power cut takes along is only known less exactly. Nor is the folder made:
    that of a sandbox that has ended must not come back.

    Raises:
        JournalError: the disk refused.
    """
    if not folder.is_dir():
        return
    with _locked(folder, os.O_RDWR | os.O_CREAT) as descriptor:
        found = _read(descriptor)
        changed = dict(list(change(found.get(platform, {})).items())[:MOST])
        found[platform] = changed
        rows = [
            [name, *key, seen.since, seen.since_is.value, seen.seen_at]
            for name, known in found.items()
            for key, seen in known.items()
        ]
        content = json.dumps(rows, separators=(",", ":")).encode("ascii")
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, content, 0)


@contextmanager
def _locked(folder: Path, flags: int) -> Iterator[int]:
    file = folder / FILE
    try:
        with opened(file, flags) as descriptor:
            lock(descriptor, str(file))
            yield descriptor
    except OSError as error:
        raise JournalError(f"cannot use {file}: {reason(error)}") from error


def _read(descriptor: int) -> Platforms:
    found: dict[str, dict[Key, Seen]] = {}
    try:
        for platform, rule, subject, since, since_is, seen_at in json.loads(os.pread(descriptor, MOST_BYTES, 0)):
            if math.isfinite(since) and math.isfinite(seen_at) and 0 < since <= seen_at:
                seen = Seen(float(since), Since(since_is), float(seen_at))
                found.setdefault(str(platform), {})[str(rule), str(subject)] = seen
    except (ValueError, TypeError, RecursionError):
        pass  # an empty file, one cut short or somebody else's: what is understood of it counts
    return dict(found)
