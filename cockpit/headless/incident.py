"""`cockpit incident`: the incident log without a screen."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.headless.incident_verbs import VERBS, Desk
from cockpit.headless.platform import find_platform
from cockpit.model.incident import ROLES
from cockpit.storage.incident_front import moment
from cockpit.text import clean

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

EPILOG = """\
INCIDENT is a file's name, its beginning or a part of it; without one, the open incident.
exit codes: 0 OK, 1 no such text found, 2 usage, 3 configuration, 4 refused (the words say what is missing),
            5 the file cannot be read or written (the words are kept, and say where)"""

MOST_STDIN = 1_000_000


def add_arguments(subparsers: Subparsers) -> None:
    """Add `incident`."""
    about = "the incident log: new, list, show, note, severity, role, update, review, close, export, search"
    parser = subparsers.add_parser(
        "incident", help=about, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for add in (_opening, _reading, _writing, _ending):
        add(verbs)
    for verb in verbs.choices.values():
        verb.add_argument("--json", action="store_true", help="print JSON")
        verb.add_argument("--config", type=Path, metavar="FILE", default=argparse.SUPPRESS, help="the configuration")


def _opening(verbs: Subparsers) -> None:
    new = verbs.add_parser("new", help="open an incident")
    new.add_argument("title")
    new.add_argument("--severity", type=_severity, required=True, metavar="P1..P4")
    new.add_argument("--section", default="", metavar="3.1..3.5", help="the runbook's, for the template")
    new.add_argument("--reason", default="opened", help="why this severity")
    new.add_argument("--role", type=_role, action="append", default=[], metavar="ROLE=WHO", help=", ".join(ROLES))
    new.add_argument("--began", type=_moment, metavar="ISO", help="when it began, where that was before now")
    new.add_argument("--drill", action="store_true", help="it is an exercise")


def _reading(verbs: Subparsers) -> None:
    listing = verbs.add_parser("list", help="all incidents, the newest first")
    listing.add_argument("--open", action="store_true", help="only open ones")
    _named(verbs.add_parser("show", help="facts, metrics and text"))
    export = _named(verbs.add_parser("export", help="for others to read; to standard output"))
    kinds = ("full", "summary", "timeline")
    export.add_argument("--as", dest="kind", choices=kinds, default="full", help="summary is for stakeholders")
    search = verbs.add_parser("search", help="which incidents have these words, and where")
    search.add_argument("words", nargs="+")


def _writing(verbs: Subparsers) -> None:
    note = verbs.add_parser("note", help="write into the timeline; - reads standard input")
    note.add_argument("text", nargs="+", help="the note, or -")
    note.add_argument("--in", dest="incident", metavar="INCIDENT")
    severity = verbs.add_parser("severity", help="raise or lower it, with a reason")
    severity.add_argument("severity", type=_severity, metavar="P1..P4")
    severity.add_argument("--reason", required=True)
    severity.add_argument("--in", dest="incident", metavar="INCIDENT")
    role = verbs.add_parser("role", help="who does what")
    role.add_argument("roles", type=_role, nargs="+", metavar="ROLE=WHO", help=", ".join(ROLES))
    role.add_argument("--in", dest="incident", metavar="INCIDENT")
    update = verbs.add_parser("update", help="when the next update is promised")
    update.add_argument("minutes", type=_minutes, metavar="MINUTES", help="from now; 0 = no more")
    update.add_argument("--in", dest="incident", metavar="INCIDENT")


def _ending(verbs: Subparsers) -> None:
    close = _named(verbs.add_parser("close", help="close it; refused while something is missing"))
    close.add_argument("--cause", metavar="TEXT", help="why it happened")
    close.add_argument(
        "--rpo-minutes", type=_minutes, metavar="N", help="how much of the past was lost; else what was measured"
    )
    close.add_argument("--rpo-rows", type=_rows, metavar="N", help="the same in rows")
    close.add_argument("--although", default="", metavar="REASON", help="close it although something is missing")
    review = _named(verbs.add_parser("review", help="say that you looked at what somebody did alone"))
    review.add_argument("--text", required=True)


def _named(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("incident", nargs="?", metavar="INCIDENT")
    return parser


def _severity(text: str) -> str:
    if text.upper() not in ("P1", "P2", "P3", "P4"):
        raise argparse.ArgumentTypeError(f"it is one of P1, P2, P3, P4, not {clean(text, 20)!r}")
    return text.upper()


def _role(text: str) -> tuple[str, str]:
    role, _, who = text.partition("=")
    if role not in ROLES or not who.strip():
        raise argparse.ArgumentTypeError(f"it is ROLE=WHO, with one of {', '.join(ROLES)}, not {clean(text, 40)!r}")
    return role, who.strip()


def _minutes(text: str) -> float:
    with suppress(ValueError):
        if 0 <= (minutes := float(text)) < 1e6:
            return minutes
    raise argparse.ArgumentTypeError(f"it is a number of minutes, not {text!r}")


def _moment(text: str) -> float:
    at = moment(text)
    if at is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: write it as 2026-04-01T19:44:12Z")
    return at


def _rows(text: str) -> int:
    if not (text.isdecimal() and text.isascii() and len(text) < 16):
        raise argparse.ArgumentTypeError(f"it is a number of rows, not {text!r}")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Do it.

    Raises:
        ConfigError: there is no platform whose incidents it could be.
        Rejected: there is no such incident, or something is missing.
        JournalError: the file cannot be read or written.
    """
    desk = Desk.at(find_platform(args.config))
    if args.verb == "note" and args.text == ["-"]:
        args.text = [sys.stdin.read(MOST_STDIN)]
    verb: Callable[[Desk, argparse.Namespace], int] = VERBS[args.verb]
    return verb(desk, args)
