"""The command line: which face is wanted. Imports only that one, so that --help answers in well under 100 ms."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

INTERRUPTED = 130
PIPE_CLOSED = 141


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
    opened = opened_with(arguments)
    if opened is None:
        from cockpit.arguments import parser_for

        args = parser_for(arguments).parse_args(arguments)
        if args.version:
            from cockpit.headless.version import version_line

            print(version_line())
            return 0
        if args.command is not None:
            return _do(args)
        opened = args.config, args.colours, args.ascii
    from cockpit.app import run_app

    return run_app(*opened)


def opened_with(arguments: Sequence[str]) -> tuple[Path | None, str, bool] | None:
    """Configuration, colours and ASCII where the screen is wanted and nothing has to be explained; else None.

    To load and build the parser takes a thirtieth of the time until the first frame.

    >>> opened_with([]), opened_with(["--ascii"])
    ((None, 'auto', False), (None, 'auto', True))
    >>> [opened_with([each]) for each in ("--help", "--config", "--config=", "--colours=16", "status")]
    [None, None, None, None, None]
    """
    config, is_ascii = None, False
    rest = iter(arguments)
    for argument in rest:
        name, sign, value = argument.partition("=")
        if argument == "--ascii":
            is_ascii = True
            continue
        value = value if sign else next(rest, "")
        if name != "--config" or not value or value.startswith("-"):
            return None
        config = Path(value)
    return config, "auto", is_ascii


def _do(args: argparse.Namespace) -> int:
    from cockpit.arguments import COMMANDS
    from cockpit.headless.sanitized import sanitize_terminal

    sanitize_terminal()
    module: Any = import_module(COMMANDS[args.command][0])
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
    reason = f"{type(error).__name__}: {error}"
    print(f"cockpit: internal error: {reason} (COCKPIT_DEBUG=1 shows where)", file=sys.stderr)
    return CockpitError.exit_code
