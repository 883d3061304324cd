"""The wish to stop a job: a file beside its journal, looked for by the worker."""

from __future__ import annotations

import json
import os
from pathlib import Path

from cockpit.errors import NOT_OURS
from cockpit.storage.disk import opened
from cockpit.text import clean

REQUEST = "cancel.json"


def request_text(by: str, at: float) -> str:
    """What stands in the file."""
    return json.dumps({"by": by, "at": round(at, 3)})


def requested_by(folder: Path) -> str | None:
    """Who wants the job in this folder stopped; None where nobody does."""
    try:
        with opened(folder / REQUEST, os.O_RDONLY) as descriptor:
            text = os.pread(descriptor, 4096, 0)
    except OSError:
        return None
    try:
        return clean(json.loads(text)["by"], 120)
    except NOT_OURS:
        return "somebody"
