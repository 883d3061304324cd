"""A crash, told in one line; the traceback, without any value, goes to a file that only its owner reads."""

from __future__ import annotations

import os
import tempfile
import time
import traceback
from pathlib import Path


def root(error: BaseException) -> BaseException:
    """What really happened: the toolkit wraps the failure of a worker and keeps its own traceback out.

    >>> root(ValueError("x"))
    ValueError('x')
    """
    inner = getattr(error, "error", None)
    return root(inner) if isinstance(inner, BaseException) else error


def report(error: BaseException, folder: Path | None = None) -> Path | None:
    """Write the traceback (places and names, no local values); None where that is impossible too."""
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    for place in (folder or Path(base) / "cockpit" / "crashes", Path(tempfile.gettempdir())):
        try:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = place / f"cockpit-crash-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
                lines = traceback.TracebackException.from_exception(root(error), capture_locals=False)
                file.writelines(lines.format())
            return path
        except OSError:
            continue
    return None


def told(error: BaseException, path: Path | None) -> str:
    """The one line for the terminal."""
    where = f"; details in {path}" if path else ""
    return f"cockpit: internal error ({type(root(error)).__name__}){where}. Jobs that run go on without it."
