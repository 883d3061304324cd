"""`python -m cockpit`, and the console script."""

from __future__ import annotations

import contextlib
import os
import sys

from cockpit.cli import run


def main() -> None:
    """Run the command line and exit: not by Python's own ending, which waits for threads and can hang in them."""
    code = run(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
