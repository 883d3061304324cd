"""`python -m cockpit`, and the console script. Imports nothing: whoever interrupts the start interrupts imports."""

import os
import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command line and exit: not by Python's own ending, which waits for threads and can hang in them."""
    try:
        # Whoever thinks better of it at once is answered by no traceback of what was being loaded.
        _leave_when_interrupted()
        _have_streams()
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


def _have_streams() -> None:
    """Whoever started us may have closed one: a file that is opened then would get its number, and what is printed."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(descriptor, True)
            setattr(sys, name, os.fdopen(descriptor, mode, closefd=False))


def _leave_when_interrupted() -> None:
    """As long as nothing is held. An exception would be told and lost where it met one of the importer's callbacks."""
    import signal

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, lambda number, frame: os._exit(INTERRUPTED))


if __name__ == "__main__":
    main()
