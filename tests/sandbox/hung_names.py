"""The cockpit where the resolver hangs for some names: FOLDER, then its own arguments.

A name that ends in .invalid is this machine's; while FOLDER holds a file of that name, whoever asks for it waits.
"""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path
from typing import Any

from cockpit.cli import run

ENDING = ".invalid"


def hang_for(folder: Path) -> None:
    """Have every lookup of this process look there first."""
    resolve = socket.getaddrinfo

    def getaddrinfo(host: Any, *more: Any, **named: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name is None or not name.endswith(ENDING):
            return resolve(host, *more, **named)
        while (folder / name).exists():
            time.sleep(0.02)
        return resolve("127.0.0.1", *more, **named)

    socket.getaddrinfo = getaddrinfo


if __name__ == "__main__":
    hang_for(Path(sys.argv[1]))
    sys.exit(run(sys.argv[2:]))
