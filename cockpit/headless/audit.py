"""`cockpit audit show|verify`: who did what, and whether the journal still says what was once written."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.errors import JournalError
from cockpit.headless.platform import find_platform
from cockpit.model.audit import AuditRecord
from cockpit.text import clean

if TYPE_CHECKING:
    from cockpit.storage.audit import AuditLog

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

EPILOG = "exit codes: 0 sound, 5 broken or unreadable"


def add_arguments(subparsers: Subparsers) -> None:
    """Add `audit`."""
    parser = subparsers.add_parser("audit", help="show or verify the audit journal", epilog=EPILOG)
    verbs = parser.add_subparsers(dest="verb", metavar="show|verify", required=True)
    show = verbs.add_parser("show", help="print the records, oldest first")
    show.add_argument("--last", type=_count, metavar="N", help="only the last N")
    verify = verbs.add_parser("verify", help="walk the chain; names the first bad line", epilog=EPILOG)
    for verb in (show, verify):
        verb.add_argument("--json", action="store_true", help="print JSON")
        about = "the platform's configuration"
        verb.add_argument("--config", type=Path, metavar="FILE", default=argparse.SUPPRESS, help=about)


def _count(text: str) -> int:
    if not (text.isdecimal() and text.isascii() and int(text[:9]) > 0):
        raise argparse.ArgumentTypeError(f"it is a number from 1 on, not {text!r}")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Print it.

    Raises:
        ConfigError: there is no site whose journal it could be.
        JournalError: it cannot be read.
    """
    from cockpit.session import state_folder
    from cockpit.storage.audit import AuditLog

    settings = find_platform(args.config)
    log = AuditLog(state_folder(settings))
    return _show(log, args) if args.verb == "show" else _verify(log, args)


def _show(log: AuditLog, args: argparse.Namespace) -> int:
    for record in log.tail(args.last):
        print(json.dumps(asdict(record), sort_keys=True) if args.json else record_line(record))
    return 0


def record_line(record: AuditRecord) -> str:
    """One record as a line."""
    moment = datetime.fromtimestamp(record.at, UTC)
    who = record.who.label + (f" from {record.who.ssh_from}" if record.who.ssh_from else "")
    words = f"{moment:%Y-%m-%d %H:%M:%S}Z {record.world} {who} {record.kind}: {record.text}"
    return clean(words, 2000)


def _verify(log: AuditLog, args: argparse.Namespace) -> int:
    found = log.verify()
    if args.json:
        print(json.dumps({"file": str(log.file), "is_sound": found.is_sound, **asdict(found)}, indent=1))
    else:
        if found.problem is None:
            print(f"sound: {found.records} records in {log.file}, last hash {found.last_hash}")
        else:
            print(f"BROKEN at line {found.line} of {log.file}: {found.problem}")
        for note in found.notes:
            print(f"  {note}")
    return 0 if found.is_sound else JournalError.exit_code
