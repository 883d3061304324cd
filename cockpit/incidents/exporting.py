"""The three exports of an incident as files, below the state folder."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from cockpit.errors import JournalError
from cockpit.incidents import exports
from cockpit.storage.disk import append_synced, opened, private_folder, reason
from cockpit.storage.incidents import Incidents


def written(incidents: Incidents, name: str, folder: Path, now: float, secrets: Iterable[str]) -> Path:
    """Write them; the folder that holds them.

    Raises:
        JournalError: the incident cannot be read, or they cannot be written.
    """
    incident, text = incidents.find(name), incidents.text(name)
    files = {
        "report.md": exports.full(incident, text, now),
        "summary.md": exports.summary(incident, text, now, secrets),
        "timeline.json": exports.timeline_json(incident, now) + "\n",
    }
    place = folder / incident.id
    try:
        private_folder(folder)
        private_folder(place)
        for file, content in files.items():
            with opened(place / file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as descriptor:
                append_synced(descriptor, content.encode("utf-8", "replace"))
    except OSError as error:
        raise JournalError(f"cannot write in {place}: {reason(error)}") from error
    return place
