"""`python -m cockpit`, and the console script."""

from __future__ import annotations

import contextlib
import os
import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command line and exit: not by Python's own ending, which waits for threads and can hang in them."""
    try:
        # Whoever thinks better of it at once is answered by no traceback of what was being loaded.
        from cockpit.cli import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = INTERRUPTED
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
