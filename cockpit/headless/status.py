"""`cockpit status`: the wall as text or JSON, from the same snapshots that the screen shows."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cockpit.clock import SystemClock
from cockpit.config import Settings
from cockpit.errors import CockpitError, JournalError, TimedOut
from cockpit.headless.listening import Ear
from cockpit.headless.platform import find_platform
from cockpit.headless.status_json import as_json
from cockpit.headless.status_text import as_text
from cockpit.model.incident import Incident
from cockpit.model.sample import Sample
from cockpit.model.severity import Severity
from cockpit.model.snapshot import Snapshot
from cockpit.severity.watch import as_of

if TYPE_CHECKING:
    from cockpit.model.job import Job
    from cockpit.observe.journals import Jobs
    from cockpit.observe.observer import Observer
    from cockpit.storage.incidents import Incidents

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

STALE_S = 10.0
"""Which incident is open is not known any more once it could not be read for so long."""
FIRST_ROUND_S = 4.5
"""A backend that has not answered by then is shown as unknown."""
EXIT_CODES = {
    Severity.OK: 0,
    Severity.P1: 11,
    Severity.P2: 12,
    Severity.P3: 13,
    Severity.P4: 14,
    Severity.UNKNOWN: 15,
}
EPILOG = """\
exit codes: 0 OK, 11 P1, 12 P2, 13 P3, 14 P4, 15 unknown, 3 no platform

JSON: format (1), taken_at (ISO), world, site, severity, exit_code,
  trading {state, since, by, reason, last_known, age_s}, halt {word, rung, reason, is_durable},
  panels {name: {severity, age_s}}, jobs [newest first],
  findings [worst first: {since, since_is: exact | or earlier | with a gap,
    follows: [rule, subject] of the finding above that tells of the same trouble, or null, ...}],
  incidents [the open ones, newest first: {id, title, severity, opened, began, rto_minutes, roles}], null where unknown,
  samples {name: {value, age_s, is_live, error, value_at, tried_at, took_s}}; unknown is null.
With --watch, one JSON object a line; where the watch itself stops, unknown, and it ends with 15."""


def add_arguments(subparsers: Subparsers) -> None:
    """Add `status`."""
    about = "One look at the platform; the exit code says how bad it is."
    parser = subparsers.add_parser(
        "status",
        help="one look at the platform; the exit code says how bad it is",
        description=about,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--watch", action="store_true", help="print one block each interval until Ctrl-C")


def run(args: argparse.Namespace) -> int:
    """Look, print, and say by the exit code how bad it is.

    Raises:
        ConfigError: there is no platform to look at, or its configuration is wrong.
    """

    settings = find_platform(args.config)
    say: Callable[[Snapshot, Settings], str] = as_json if args.json else as_text
    with watching(settings) as (ear, observer):
        ear.wait_round(FIRST_ROUND_S)
        snapshot = _print(ear, settings, say, args.watch)
        is_going = args.watch
        while is_going:
            time.sleep(settings.interval_s)
            is_going = observer.is_running
            snapshot = _print(ear, settings, say, True)
    return EXIT_CODES[snapshot.assessment.severity]


@contextmanager
def watching(settings: Settings) -> Iterator[tuple[Ear, Observer]]:
    """An ear on the platform, and what it hears."""
    from actions.runbook import runbook_for
    from cockpit.observe.journals import Journals
    from cockpit.observe.lookout import watch
    from cockpit.session import state_folder
    from cockpit.severity.silence import configured
    from cockpit.storage.incidents import Incidents
    from cockpit.storage.latches import LatchFile

    ear = Ear(configured(settings))
    beside: dict[str, object] = {}
    opened: dict[str, Sample[tuple[Incident, ...]]] = {}
    incidents = Incidents(settings.incidents_folder)
    latch, jobs = LatchFile(state_folder(settings), settings.redis), _jobs(settings)

    def read() -> tuple[Job, ...]:
        try:
            beside["latch"], beside["latch_unread"] = latch.read(), ""
        except JournalError as error:
            beside["latch_unread"] = str(error)
        opened["now"] = _open_ones(incidents)
        return jobs()

    journals = Journals(read)
    journals.start()
    runbook = runbook_for(settings)
    observer = watch(settings, SystemClock(), runbook, journals.jobs, ear, _incidents(opened), lambda: dict(beside))
    try:
        yield ear, observer
    finally:
        journals.stop()
        observer.stop(0.5)


def _incidents(opened: Mapping[str, Sample[tuple[Incident, ...]]]) -> Callable[[], Sample[tuple[Incident, ...]]]:
    return lambda: opened.get("now", Sample())


def _open_ones(incidents: Incidents) -> Sample[tuple[Incident, ...]]:
    now = SystemClock().now()
    try:
        return Sample.good(tuple(each for each in incidents.all() if each.is_open), now, 0.0, STALE_S)
    except CockpitError as error:
        return Sample[tuple[Incident, ...]](stale_after_s=STALE_S).failed(str(error), now, 0.0)


def _jobs(settings: Settings) -> Jobs:
    """The jobs on disk; none where there are no journals that may be read."""
    from cockpit.session import state_folder
    from cockpit.storage.jobs import JobStore

    try:
        return JobStore(state_folder(settings) / "jobs").jobs
    except (OSError, CockpitError):
        return tuple


def _print(ear: Ear, settings: Settings, say: Callable[[Snapshot, Settings], str], is_watched: bool) -> Snapshot:
    snapshot = ear.wait_any(FIRST_ROUND_S)
    if snapshot is None:
        raise TimedOut("the observer gave no snapshot")
    snapshot = as_of(snapshot, SystemClock().now(), settings.interval_s)
    print(say(snapshot, settings), end="\n\n" if is_watched and say is as_text else "\n", flush=True)
    return snapshot
