"""Which lines cockpits wrote into an incident's timeline: one that somebody deleted there does not come back."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from cockpit.model.incident import Event, TimelineEntry
from cockpit.storage.disk import opened
from cockpit.storage.incident_text import safe_key

TOLD = "told"
MOST_BYTES = 4_000_000


class Told:
    """One file of times and keys, in the hidden folder of an incident; a loss of it costs only this memory."""

    def __init__(self, folder: Path, mode: int) -> None:
        self._file = folder / TOLD
        self._mode = mode

    def entries(self) -> tuple[TimelineEntry, ...]:
        """What was written, as lines without words; none where that cannot be read."""
        try:
            with opened(self._file, os.O_RDONLY) as descriptor:
                content = os.read(descriptor, MOST_BYTES)
        except OSError:
            return ()
        found = []
        for each in content.decode("utf-8", "replace").splitlines():
            at, _, key = each.partition(" ")
            with suppress(ValueError):
                found.append(TimelineEntry(float(at), "", "", key))
        return tuple(found)

    def add(self, events: Iterable[Event]) -> None:
        """Remember these; where that fails they may come back, which is no reason to fail."""
        known = {(entry.at, entry.key) for entry in self.entries()}
        new = [(event.at, safe_key(event.key)) for event in events if event.key]
        rows = [f"{at!r} {key}\n" for at, key in new if (at, key) not in known]
        if not rows:
            return
        with suppress(OSError), opened(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND) as descriptor:
            with suppress(OSError):
                os.fchmod(descriptor, self._mode)
            os.write(descriptor, "".join(rows).encode())
