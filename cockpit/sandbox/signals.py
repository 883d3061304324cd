"""Which processes belong together and which stand still, from /proc; and signals to several of them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path
from signal import Signals


def family(pid: int) -> list[int]:
    """The process and its children, the process first (a stopped parent makes no more of them)."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return []
    return [pid, *map(int, children)]


def is_stopped(pid: int) -> bool:
    """Whether the process is stopped by a signal."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "T"
    except (OSError, IndexError):
        return False


def send_all(pids: Iterable[int], signal: Signals) -> None:
    """Send the signal to those that are still there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal)
