"""Where logind ends every process of a session with it, a worker has to be started in a scope of its own."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path
from shutil import which

SYSTEMD = Path("/run/systemd/system")
ASK_S = 1.0
PREFIX = ("systemd-run", "--user", "--scope", "--quiet", "--")
QUESTION = (
    "busctl",
    "get-property",
    "org.freedesktop.login1",
    "/org/freedesktop/login1",
    "org.freedesktop.login1.Manager",
    "KillUserProcesses",
)


def scope(choice: str) -> tuple[str, ...]:
    """What stands before a worker's command line: nothing, or what takes it out of the session.

    `choice` is the configuration's auto, never or always. systemd-run becomes the worker itself, with the descriptors
    that it was given.
    """
    if choice == "never" or not SYSTEMD.is_dir() or which(PREFIX[0]) is None:
        return ()
    return PREFIX if choice == "always" or kills_sessions() else ()


@cache
def kills_sessions() -> bool:
    """Whether logind says that it does; it spares root."""
    if os.geteuid() == 0 or which(QUESTION[0]) is None:
        return False
    try:
        said = subprocess.run(
            QUESTION, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=ASK_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return said.stdout.split() == ["b", "true"]
