"""`python -m cockpit`, and the console script."""

from __future__ import annotations

import contextlib
import os
import sys
import threading

from cockpit.cli import run


def main() -> None:
    """Run the command line and exit, whatever the threads that watch are doing: Python waits for some of them."""
    code = run(sys.argv[1:])
    if threading.active_count() > 1:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    main()
