"""The command line's grammar: its commands, options and help. Loads the one command that is wanted, and no other."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from cockpit.options import OPTIONS

COMMANDS = {
    "status": ("cockpit.headless.status", "one look at the platform; the exit code says how bad it is"),
    "keys": ("cockpit.headless.keys", "every key of the cockpit"),
    "run": ("cockpit.headless.run", "take a runbook step without the screen"),
    "runbook": ("cockpit.headless.runbook", "what each step would run, with today's values; also on paper"),
    "readiness": ("cockpit.headless.readiness", "rehearse every step read-only: would it work now, and if not why"),
    "drill": ("cockpit.headless.drill", "drills on a sandbox: list, show, start, stop, report"),
    "jobs": ("cockpit.headless.jobs", "list jobs, show or follow one"),
    "incident": ("cockpit.headless.incident", "the incident log: open, note, change, close, export, search"),
    "approve": ("cockpit.headless.approve", "be the second person: list, approve or refuse what others ask for"),
    "audit": ("cockpit.headless.audit", "show or verify the audit journal"),
    "notify": ("cockpit.headless.notify", "tell ops, risk officer or stakeholders; list what did not arrive"),
    "alerts": ("cockpit.headless.alerts", "check an alerts.yaml"),
    "sandbox": ("cockpit.headless.sandbox", "a small trading platform to train on"),
}
"""Command -> the module with its `add_arguments(subparsers)` and `run(args) -> int`, and what it does."""

DESCRIPTION = """\
Watch and recover a trading platform from the terminal. Without a command, opens the full-screen cockpit: on the
configured platform, else on the shared sandbox if one runs, else on a sandbox of its own that ends with it."""

EPILOG = """\
configuration: --config FILE, else $COCKPIT_CONFIG, else ~/.config/cockpit/cockpit.yaml, else /etc/cockpit/cockpit.yaml

exit codes: 0 OK, 1 error, 2 usage, 3 configuration, 4 refused, 5 journal, 6 sandbox;
            status: 0 OK, 11 P1, 12 P2, 13 P3, 14 P4, 15 unknown;
            readiness: 0 every step would work, 15 of some nobody knows, 16 some would not"""


class _Parser(argparse.ArgumentParser):
    """Whoever reads what is wrong sees the usage of the command that it is about.

    No option is guessed from its beginning: --b must not act alone (--break-glass).
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "allow_abbrev": False})

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Nothing is left for the parser above, which would show its own usage."""
        found, left = super().parse_known_args(args, namespace)
        if left:
            self.error(f"unrecognized arguments: {' '.join(left)}")
        return found, left


def parser_for(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """What understands the arguments, and explains itself."""
    parser = _Parser(
        prog="cockpit", description=DESCRIPTION, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, option in OPTIONS.items():
        parser.add_argument(f"--{name}", **option)
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    wanted = command_in(arguments)
    for name, (module, about) in COMMANDS.items():
        if name != wanted:
            subparsers.add_parser(name, help=about)
            continue
        import_module(module).add_arguments(subparsers)
        if name != "sandbox":
            _accept_config(subparsers.choices[name])
    return parser


def command_in(arguments: Sequence[str]) -> str | None:
    """The command among the arguments, found before there is a parser: only its module is imported.

    >>> command_in(["--config", "status", "run", "kill-switch"])
    'run'
    >>> command_in(["--colours", "16"])
    >>> command_in(["--help"])
    """
    is_value = False
    for argument in arguments:
        if not argument.startswith("-") and not is_value:
            return argument if argument in COMMANDS else None
        is_value = argument in ("--config", "--colours")
    return None


def _accept_config(parser: argparse.ArgumentParser) -> None:
    """--config also after the command."""
    if "--config" not in parser.format_usage():
        parser.add_argument(
            "--config", type=Path, metavar="FILE", default=argparse.SUPPRESS, help="the platform's configuration"
        )
