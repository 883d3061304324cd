"""The cockpit on a host whose own name, and whose user's, are bad."""

from __future__ import annotations

import pwd
import socket
import sys
from types import SimpleNamespace
from typing import Any

from cockpit.cli import run
from tests.sandbox.hostile_platform import SHORT


def named(uid: int) -> Any:
    """An account as the system tells it."""
    fields = ("pw_uid", "pw_gid", "pw_dir", "pw_shell")
    found = _whose(uid)
    return SimpleNamespace(pw_name=SHORT, **{name: getattr(found, name) for name in fields})


if __name__ == "__main__":
    _whose = pwd.getpwuid
    pwd.getpwuid = named
    socket.gethostname = lambda: SHORT
    sys.exit(run(sys.argv[1:]))
