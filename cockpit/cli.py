"""The command line: which face is wanted. Imports only that one, so that --help answers in well under 100 ms."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from cockpit.options import read_plainly

if TYPE_CHECKING:
    import argparse

INTERRUPTED = 130
PIPE_CLOSED = 141
OUTPUT_REFUSED = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def run(arguments: Sequence[str]) -> int:
    """Do what the command line says; the exit code."""
    try:
        code = _dispatch(arguments)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Who read us has gone: nothing to say, and nothing must be said when Python flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except Exception as error:
        return _explain(error)


def _dispatch(arguments: Sequence[str]) -> int:
    options = read_plainly(arguments)
    if options is None:
        from cockpit.arguments import parser_for

        args = parser_for(arguments).parse_args(arguments)
        if args.version:
            from cockpit.headless.version import version_line

            print(version_line())
            return 0
        if args.command is not None:
            return _do(args)
        options = vars(args)
    from cockpit.app import run_app

    return run_app(options["config"], options["colours"], options["ascii"])


def _do(args: argparse.Namespace) -> int:
    from cockpit.arguments import COMMANDS
    from cockpit.headless.sanitized import sanitize_terminal

    sanitize_terminal()
    module: Any = import_module(COMMANDS[args.command][0])
    if signal.getsignal(signal.SIGINT) not in (signal.SIG_IGN, signal.default_int_handler):
        # What a command has begun is ended in order.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return int(module.run(args))


def _explain(error: Exception) -> int:
    from cockpit.errors import CockpitError
    from cockpit.headless.sanitized import sanitize_terminal

    sanitize_terminal()
    if isinstance(error, CockpitError):
        print(f"cockpit: {error}", file=sys.stderr)
        return error.exit_code
    if os.environ.get("COCKPIT_DEBUG"):
        raise error
    if isinstance(error, OSError) and error.errno in OUTPUT_REFUSED and error.filename is None:
        print(f"cockpit: the output cannot be written: {error.strerror}", file=sys.stderr)
        return CockpitError.exit_code
    reason = f"{type(error).__name__}: {error}"
    print(f"cockpit: internal error: {reason} (COCKPIT_DEBUG=1 shows where)", file=sys.stderr)
    return CockpitError.exit_code
