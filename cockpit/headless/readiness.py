"""`cockpit readiness`: every step of the runbook rehearsed read-only, as text or JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING

from cockpit.clock import SystemClock
from cockpit.config import Settings
from cockpit.errors import Rejected
from cockpit.headless.platform import find_platform
from cockpit.model.rehearsal import Outcome, Rehearsal, Rehearsed
from cockpit.text import clean

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

ROUND_S = 6.0
EXIT_CODES = {Outcome.UNKNOWN: 15, Outcome.BROKEN: 16}
EPILOG = """\
exit codes: 0 every step would work (or is not needed now, or has its turn after another one),
            15 of some nobody knows, 16 some would not work, 3 no platform, 1 nothing was ever rehearsed (--last)

Nothing is submitted and nothing is sent; the result is kept for the screen (5) of every cockpit of this site."""


def add_arguments(subparsers: Subparsers) -> None:
    """Add `readiness`."""
    parser = subparsers.add_parser(
        "readiness",
        help="rehearse every step read-only: would it work now, and if not why",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--last", action="store_true", help="only print the last one again, with its time")


def run(args: argparse.Namespace) -> int:
    """Rehearse, print, and say by the exit code whether all would work.

    Raises:
        ConfigError: there is no platform.
    """
    settings = find_platform(args.config)
    found = _last(settings) if args.last else _new(settings)
    if found is None:
        print("cockpit readiness: nothing has been rehearsed here yet", file=sys.stderr)
        return 1
    if args.json:
        print(json.dumps(as_json(found), indent=1))
    else:
        print("\n".join(lines(found)))
    return EXIT_CODES.get(found.worst, 0)


def _last(settings: Settings) -> Rehearsal | None:
    from cockpit.session import state_folder
    from cockpit.storage.rehearsals import read_rehearsal

    return read_rehearsal(state_folder(settings))


def _new(settings: Settings) -> Rehearsal:
    from actions.runbook import runbook_for
    from cockpit.headless.status import watching
    from cockpit.jobs.operator import current_operator
    from cockpit.session import readiness

    clock = SystemClock()
    with watching(settings) as (ear, _):
        ear.wait_round(ROUND_S)
        snapshot = ear.wait_any(ROUND_S)
        if snapshot is None:
            raise Rejected("the observer gave no snapshot")
        rehearsing = readiness(settings, clock, current_operator().label, runbook_for(settings))
        return rehearsing.now(snapshot, _tell)


def _tell(words: str) -> None:
    if sys.stderr.isatty():
        print(f"  … {clean(words)}", file=sys.stderr)


def as_json(found: Rehearsal) -> dict[str, object]:
    """Format 1; the outcome of each line in words."""
    at = datetime.fromtimestamp(found.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    counts = {outcome.value: found.count(outcome) for outcome in Outcome}
    whole = {**asdict(found), "at": at, "worst": found.worst, "counts": counts}
    return {"format": 1, "exit_code": EXIT_CODES.get(found.worst, 0), **whole}


def lines(found: Rehearsal) -> Iterator[str]:
    """By section; what needs nobody's attention in one line."""
    at = datetime.fromtimestamp(found.at, UTC)
    yield f"{found.world} {found.site}   rehearsed {at:%Y-%m-%d %H:%M:%S} UTC by {found.by}, in {found.took_s:.1f} s"
    yield ", ".join(f"{found.count(one)} {one}" for one in reversed(Outcome) if found.count(one))
    for title, members in groupby(found.lines, key=lambda line: f"{line.section} {line.section_title}".strip()):
        yield f"\n{title}"
        for line in members:
            yield from _line(line)


def _line(line: Rehearsed) -> Iterator[str]:
    reason = f": {clean(line.reason, 300)}" if line.reason else ""
    yield f"  {line.outcome.upper() if not line.outcome.is_well else line.outcome:<18} {clean(line.name, 40)}{reason}"
    if line.advice:
        yield f"  {'':<18} -> {clean(line.advice, 300)}"
