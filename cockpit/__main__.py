"""`python -m cockpit`, and the console script. Imports nothing: whoever interrupts the start interrupts imports."""

import os
import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command line and exit: not by Python's own ending, which waits for threads and can hang in them."""
    try:
        # Whoever thinks better of it at once is answered by no traceback of what was being loaded.
        _leave_when_interrupted()
        from cockpit.cli import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = INTERRUPTED
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue
    os._exit(code)


def _leave_when_interrupted() -> None:
    """As long as nothing is held. An exception would be told and lost where it met one of the importer's callbacks."""
    import signal

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, lambda number, frame: os._exit(INTERRUPTED))


if __name__ == "__main__":
    main()
