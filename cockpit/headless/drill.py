"""`cockpit drill`: what is due, begin one on a sandbox, follow it, end it, read its report."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.clock import SystemClock
from cockpit.config import Settings, load
from cockpit.errors import Misused, Rejected
from cockpit.headless.platform import find_platform
from cockpit.model.drill import Board, Drill, Due
from cockpit.model.snapshot import Snapshot
from cockpit.model.world import World
from cockpit.text import clean

if TYPE_CHECKING:
    from cockpit.drills.director import Director

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

EPILOG = """\
A drill is played on a sandbox and nowhere else: on the one that the cockpit is on, else on one that is started for it.
It goes on without its terminal; any cockpit on that sandbox watches it, and so does --follow. It ends by itself
once everything is reached, or with stop, which clears the fault.

exit codes: 0, 2 usage, 4 refused, 6 sandbox; start --follow, show --follow and report: 0 passed, 1 not"""
LOOK_S = 0.5
ROUND_S = 6.0


def add_arguments(subparsers: Subparsers) -> None:
    """Add `drill` and its verbs."""
    parser = subparsers.add_parser(
        "drill",
        help="drills on a sandbox: list, show, start, stop, report",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    about = {
        "list": "every scenario, when it was played last and when it is due",
        "show": "the running drill, or one that has ended",
        "start": "begin one",
        "stop": "end the running one: its fault is cleared; without one, take down the sandbox that drills start",
        "report": "the report of the newest drill, or of one, as Markdown",
    }
    for name, words in about.items():
        verb = verbs.add_parser(name, help=words, description=words[0].upper() + words[1:] + ".")
        verb.add_argument("--json", action="store_true", help="print JSON")
        verb.add_argument("--config", type=Path, metavar="FILE", default=argparse.SUPPRESS, help="the configuration")
        if name == "start":
            verb.add_argument("scenario", metavar="NAME", help="as `cockpit drill list` names it")
        if name in ("show", "report"):
            verb.add_argument("id", metavar="ID", nargs="?", default="", help="how its id begins")
        if name in ("start", "show"):
            verb.add_argument("--follow", action="store_true", help="watch it, and print each goal and what comes next")


def run(args: argparse.Namespace) -> int:
    """Do what the verb says.

    Raises:
        Rejected: it may not be done.
        SandboxError: there is no sandbox, or it does not do it.
    """
    verbs: dict[str, Callable[[argparse.Namespace], int]] = {
        "list": _list,
        "show": _show,
        "start": _start,
        "stop": _stop,
        "report": _report,
    }
    return verbs[args.verb](args)


def _director(settings: Settings) -> Director:
    from cockpit.drills.desk import drills_folder
    from cockpit.drills.director import Director
    from cockpit.jobs.operator import current_operator

    return Director(settings, SystemClock(), current_operator().label, drills_folder())


def _board(args: argparse.Namespace) -> Board:
    """The same whatever platform the cockpit is on, or on none."""
    from cockpit.drills.desk import drills_folder
    from cockpit.drills.schedule import schedule
    from cockpit.storage.drills import Drills

    drills = Drills(drills_folder())
    ended = drills.ended()
    return Board(schedule(ended, SystemClock().now()), drills.running(), ended)


def _list(args: argparse.Namespace) -> int:
    board, now = _board(args), SystemClock().now()
    if args.json:
        rows = [{**asdict(due), "is_overdue": due.is_overdue(now)} for due in board.dues]
        print(json.dumps({"format": 1, "running": _facts(board.running), "drills": rows}, indent=1))
        return 0
    for due in board.dues:
        print("\n".join(_due(due, now)))
    if board.running is not None:
        print(f"\nrunning: {board.running.id} since {_at(board.running.started_at)} UTC: cockpit drill show --follow")
    return 0


def _due(due: Due, now: float) -> Iterator[str]:
    one = due.scenario
    last = f"last {_at(due.last.started_at)} {due.last.verdict}" if due.last else ""
    yield f"{one.name:<18}{one.section:<5}{due.word(now):<20}{last}"
    yield f"{'':<18}{one.title}. {one.sentence}"


def _find(board: Board, prefix: str) -> Drill:
    every = [*([board.running] if board.running else []), *board.history]
    found = [drill for drill in every if drill.id.startswith(prefix) or drill.scenario == prefix]
    if not found:
        raise Rejected(f"there is no drill {clean(prefix, 60)!r} yet" if prefix else "no drill was played yet")
    return found[0]


def _show(args: argparse.Namespace) -> int:
    drill = _find(_board(args), args.id)
    if args.follow and drill.is_running:
        return _follow(drill, args.json)
    if args.json:
        print(json.dumps(_facts(drill), indent=1))
    else:
        print("\n".join(_lines(drill)))
    return 0


def _start(args: argparse.Namespace) -> int:
    from cockpit.drills.scenarios import scenario, scenarios

    if scenario(args.scenario) is None:
        known = ", ".join(one.name for one in scenarios())
        raise Misused(f"there is no drill {clean(args.scenario, 60)!r}; there are: {known}")
    settings = find_platform(args.config)
    drill = _director(settings).start(
        args.scenario, _seen(settings), lambda words: print(f"cockpit: {words}", file=sys.stderr)
    )
    if args.json and not args.follow:
        print(json.dumps(_facts(drill), indent=1))
    elif not args.json:
        print(f"{drill.id} runs on {drill.sandbox}\nrecover it: cockpit --config {drill.config}   (4 shows the drill)")
    return _follow(drill, args.json) if args.follow else 0


def _seen(settings: Settings) -> Snapshot | None:
    """The sandbox as it is before it is broken; nothing where the drill is played elsewhere."""
    if settings.world is not World.SANDBOX:
        return None
    from cockpit.headless.status import watching

    with watching(settings) as (ear, _):
        ear.wait_round(ROUND_S)
        return ear.newest


def _stop(args: argparse.Namespace) -> int:
    running = _board(args).running
    if running is None:
        from cockpit.drills.director import put_away

        was_up = put_away()
        print(json.dumps({"was_up": was_up}) if args.json else "no drill ran" + (", its sandbox is down" * was_up))
        return 0
    # It may be on another sandbox than this cockpit would be on, or on one that has gone: nothing is asked of it.
    settings = _settings_of(running) or find_platform(args.config)
    ended = _director(settings).stop(None)
    print(json.dumps(_facts(ended), indent=1) if args.json else "\n".join(_lines(ended)))
    return 0


def _settings_of(drill: Drill) -> Settings | None:
    return load(Path(drill.config)) if Path(drill.config).is_file() else None


def _report(args: argparse.Namespace) -> int:
    board = _board(args)
    found = [drill for drill in board.history if drill.id.startswith(args.id) or drill.scenario == args.id]
    if not found:
        raise Rejected("no such drill has ended yet")
    if args.json:
        print(json.dumps(_facts(found[0]), indent=1))
    else:
        from cockpit.drills.desk import drills_folder
        from cockpit.storage.drills import Drills

        print(Drills(drills_folder()).report(found[0].id).read_text(encoding="utf-8"), end="")
    return 0 if found[0].is_passed else 1


def _follow(drill: Drill, is_json: bool) -> int:
    """Watch it to its end; Ctrl-C leaves it running."""
    from cockpit.drills.coach import said
    from cockpit.drills.scenarios import scenario
    from cockpit.headless.status import watching

    settings, found = load(Path(drill.config)), scenario(drill.scenario)
    assert found is not None
    director, told = _director(settings), set[str]()
    with watching(settings) as (ear, _):
        ear.wait_round(ROUND_S)
        while drill.is_running:
            snapshot = ear.newest
            drill = (director.watch(snapshot) if snapshot is not None else None) or _again(drill)
            lines = [f"{one.goal}: after {one.at - drill.started_at:.0f} s" for one in drill.mets]
            lines += [f"next: {words}" for words in said(drill, found, time.time())] if drill.is_running else []
            for line in lines:
                if line not in told and not is_json:
                    print(f"{time.time() - drill.started_at:6.0f} s  {line}", flush=True)
                told.add(line)
            time.sleep(LOOK_S)
    print(json.dumps(_facts(drill), indent=1) if is_json else "\n".join(_lines(drill)))
    return 0 if drill.is_passed else 1


def _again(drill: Drill) -> Drill:
    """As it stands on the disk, where another cockpit has ended it."""
    from cockpit.drills.desk import drills_folder
    from cockpit.storage.drills import Drills

    drills = Drills(drills_folder())
    return next((one for one in (drills.running(), *drills.ended()) if one and one.id == drill.id), drill)


def _lines(drill: Drill) -> Iterator[str]:
    from cockpit.drills.scenarios import scenario

    found = scenario(drill.scenario)
    yield f"{drill.verdict}   {drill.title}   {drill.id}"
    yield f"by {drill.by} on {drill.world} {drill.site}, {drill.sandbox}; incident {drill.incident}"
    for goal in found.goals if found else ():
        at = drill.met(goal.name)
        yield f"  {goal.name:<12}{'-' if at is None else f'{at - drill.started_at:.0f} s':>8}   {goal.say}"
    yield from (f"  missed: {one}" for one in drill.missed)
    yield from (f"  left in the sandbox: {one}" for one in drill.left)
    if not drill.is_running:
        yield f"the report: cockpit drill report {drill.id}"


def _facts(drill: Drill | None) -> dict[str, Any] | None:
    return None if drill is None else {"format": 1, "verdict": drill.verdict, **asdict(drill)}


def _at(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}"
