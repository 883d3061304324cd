"""`cockpit jobs [ID]`: what was confirmed on this platform, how far it is, and what its commands print."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.errors import CockpitError, Misused, Rejected
from cockpit.headless.plan_text import end_line, end_word, step_line
from cockpit.headless.platform import find_platform
from cockpit.model.job import Job, Phase, StepState
from cockpit.text import clean

if TYPE_CHECKING:
    from cockpit.config import Settings
    from cockpit.storage.jobs import JobStore

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

FOLLOW_S = 0.1
DONE, NOT_DONE = 0, 1
MOST = 10_000


def add_arguments(subparsers: Subparsers) -> None:
    """Add `jobs`."""
    about = "List the jobs, or show one with its steps, proofs and output."
    parser = subparsers.add_parser(
        "jobs",
        help="list jobs, show or follow one",
        description=about,
        epilog="exit codes with ID: 0 done and proven, 1 failed, in doubt, cancelled or still running, 4 no such job;"
        " --cancel and --resolve: 0 written down, 4 refused",
    )
    parser.add_argument("id", nargs="?", metavar="ID", help="a job, or the end of its name")
    parser.add_argument(
        "--follow", action="store_true", help="show what happens until it is over; without ID, the newest"
    )
    asking = parser.add_mutually_exclusive_group()
    asking.add_argument("--cancel", action="store_true", help="stop it, where that does no harm half-way")
    asking.add_argument(
        "--resolve", choices=("done", "not-done"), help="your word for a job in doubt; changes nothing in the world"
    )
    parser.add_argument("--reason", metavar="TEXT", help="with --resolve: by what it is known")
    parser.add_argument(
        "--last", type=int, default=20, metavar="N", help="list the newest N (default 20), and what is not settled"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """List, show or follow.

    Raises:
        CockpitError: there is no platform.
        Rejected: there is no such job.
    """
    from cockpit.session import state_folder
    from cockpit.storage.jobs import JobStore

    if args.id is None and (args.cancel or args.resolve):
        raise Misused("--cancel and --resolve take the ID of a job")
    if args.resolve and not (args.reason or "").strip():
        raise Misused("--resolve takes --reason TEXT: by what is it known?")
    settings = find_platform(args.config)
    store = JobStore(state_folder(settings) / "jobs")
    if args.id is None and not args.follow:
        return _list(store, args)
    job = _find(store, args.id)
    if args.cancel or args.resolve:
        return _ask(settings, job, args)
    if args.follow:
        return _follow(store, job, args.json)
    return _show(store, job, args.json)


def _ask(settings: Settings, job: Job, args: argparse.Namespace) -> int:
    """Have it stopped, or take the operator's word for it; what was written is shown."""
    from cockpit.session import Session

    session = Session.open(settings)
    try:
        if args.cancel:
            asked = session.cancel(job.id).result()
        else:
            asked = session.resolve(job.id, args.resolve == "done", args.reason or "").result()
    finally:
        session.stop()
    if args.json:
        print(json.dumps({"format": 1, "job": asdict(asked)}, indent=1))
    elif args.cancel:
        print(f"{asked.cancelled_by} has told it to stop: {asked.title} (job {asked.id})")
    else:
        print(end_line(asked))
    return DONE


def _list(store: JobStore, args: argparse.Namespace) -> int:
    jobs = store.jobs(max(1, args.last), MOST)
    if args.json:
        print(json.dumps({"format": 1, "jobs": [asdict(job) for job in jobs]}, indent=1))
        return DONE
    for job in jobs:
        print(_line(job))
    if not jobs:
        print("no job yet")
    return DONE


def _line(job: Job) -> str:
    at = f"{datetime.fromtimestamp(job.submitted_at, UTC):%Y-%m-%d %H:%M:%SZ}"
    took = "" if job.ended_at is None else f" after {job.ended_at - job.submitted_at:.1f} s"
    return f"{job.id}  {at}  {end_word(job)}{took}  {job.title}, by {job.by}"


def _find(store: JobStore, wanted: str | None) -> Job:
    jobs = store.jobs(MOST)
    if wanted is None:
        if not jobs:
            raise CockpitError("no job yet")
        return jobs[0]
    found = [job for job in jobs if job.id == wanted] or [job for job in jobs if job.id.endswith(wanted)]
    if len(found) != 1:
        many = f"{len(found)} jobs are" if found else "no job is"
        raise Rejected(f"{many} called {clean(wanted, 80)}: `cockpit jobs`")
    return found[0]


def _show(store: JobStore, job: Job, is_json: bool) -> int:
    from cockpit.storage.output import last_output

    output = last_output(store.folder(job.id))
    if is_json:
        told = {"format": 1, "job": asdict(job), "output": output.decode("utf-8", "replace")}
        print(json.dumps(told, indent=1))
        return _code(job)
    print(_line(job))
    for note in job.notes:
        print(f"  !! {note}")
    for step in (*job.steps, *job.proofs):
        print(step_line(step))
    if output:
        print(f"  output   the end of {store.folder(job.id) / 'output.log'}")
        for line in output.decode("utf-8", "replace").splitlines()[-20:]:
            print(f"    {clean(line, 300)}")
    print(end_line(job))
    return _code(job)


def _follow(store: JobStore, job: Job, is_json: bool) -> int:
    """Each change and each line of output as it comes; ends when nothing more will."""
    say: Callable[[str], None] = (lambda _: None) if is_json else _say
    say(_line(job))
    told: dict[str, str] = {}
    tail = _Tail(store.folder(job.id))
    while True:
        job = store.job(job.id) or job
        for line in tail.lines(job.phase.is_over):
            say(f"    {clean(line, 300)}")
        for step in (*job.steps, *job.proofs):
            if told.get(step.name) != step.state and step.state is not StepState.WAITING:
                told[step.name] = step.state
                say(step_line(step))
        if job.phase.is_over:
            break
        time.sleep(FOLLOW_S)
    if is_json:
        print(json.dumps({"format": 1, "job": asdict(job)}, indent=1))
    say(end_line(job))
    return _code(job)


class _Tail:
    """The output from its beginning, as it grows; only what is not a whole line yet is kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._offset = 0
        self._rest = ""

    def lines(self, is_last: bool) -> list[str]:
        """What has come since."""
        from cockpit.storage.output import read_output

        found: list[str] = []
        while piece := read_output(self._folder, self._offset):
            self._offset += len(piece)
            *whole, self._rest = (self._rest + piece.decode("utf-8", "replace")).split("\n")
            found += whole
            if not is_last:
                break
        if is_last and self._rest:
            found, self._rest = [*found, self._rest], ""
        return found


def _say(line: str) -> None:
    print(line, flush=True)
    sys.stdout.flush()


def _code(job: Job) -> int:
    return DONE if job.phase is Phase.DONE else NOT_DONE
