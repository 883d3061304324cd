"""`cockpit runbook`: what each step would run here, as text, with live checks, or as the copy on paper."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.clock import SystemClock
from cockpit.config import Settings
from cockpit.errors import ConfigError, Rejected
from cockpit.headless.plan_text import VERDICTS
from cockpit.headless.platform import find_platform
from cockpit.headless.runbook_paper import paper
from cockpit.jobs.told import told
from cockpit.model.snapshot import Snapshot
from cockpit.model.told import Told

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

EPILOG = """\
exit codes: 0 told, 2 there is no such section, 3 the configuration or the runbook file is wrong;
            --check: 0 the file is right, 3 it is wrong

Nothing is asked and nothing is changed, unless --live: then the backends are looked at for the checks.
  cockpit runbook 3.1 --live
  cockpit runbook --paper > runbook.md       print it, once a month
  cockpit runbook --check /srv/hedgefund/runbook.yaml
"""
ROUND_S = 6.0


def add_arguments(subparsers: Subparsers) -> None:
    """Add `runbook`."""
    parser = subparsers.add_parser(
        "runbook",
        help="what each step would run, with today's values; also on paper",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("section", metavar="SECTION", nargs="?", help="its number, 3.1, or its key, b")
    parser.add_argument("--live", action="store_true", help="look at the platform, and judge the checks")
    parser.add_argument("--paper", action="store_true", help="the copy for a night without the cockpit: 80 columns")
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    parser.add_argument("--check", type=Path, metavar="FILE", help="only say whether a runbook file is right")


def run(args: argparse.Namespace) -> int:
    """Tell it.

    Raises:
        ConfigError: there is no platform, or a file is wrong.
    """
    from actions.runbook import read_own, runbook_for

    if args.check is not None:
        rows = read_own(args.check.absolute())
        _check_suggestions(args.check, rows)
        own = sum(1 for row in rows if row.place.startswith(str(args.check.absolute())))
        print(f"{args.check} is right: {own} steps of its own, {len(rows)} in all")
        return 0
    settings = find_platform(args.config)
    runbook = runbook_for(settings)
    rows = runbook.actions
    if args.section is not None:
        rows = tuple(row for row in rows if args.section in (row.section, row.section_key))
        if not rows:
            known = ", ".join(dict.fromkeys(f"{row.section} ({row.section_key})" for row in runbook.actions))
            print(f"cockpit runbook: there is no section {args.section}; there are: {known}", file=sys.stderr)
            return 2
    if runbook.problem:
        print(f"cockpit runbook: the fund's own runbook is not used: {runbook.problem}", file=sys.stderr)
    with _evidence(settings, args.live) as snapshot:
        now = SystemClock().now()
        steps = told(rows, settings, snapshot, now)
        _print(args, steps, settings, now)
    return 0 if not runbook.problem else ConfigError.exit_code


def _check_suggestions(file: Path, rows: object) -> None:
    """That what suggests a step is a rule; only here, for it loads every rule."""
    from actions.catalogue import load_own
    from cockpit.severity.judge import RULES
    from cockpit.severity.standing import WAITING

    known = {rule.name for rule in RULES} | {"backend_silent", "payload_unreadable", "backend_unusable", WAITING}
    for row in load_own(file.absolute()).rows:
        for name in row.suggests:
            if name.partition("/")[0] not in known:
                raise ConfigError(f"{row.place}: {row.step} is suggested by {name!r}, which is no finding's rule")


@contextmanager
def _evidence(settings: Settings, is_live: bool) -> Iterator[Snapshot]:
    """The platform as it is, or as nobody has looked at it."""
    if not is_live:
        yield Snapshot(0, SystemClock().now(), settings.world, settings.site)
        return
    from cockpit.headless.status import watching

    with watching(settings) as (ear, _):
        ear.wait_round(ROUND_S)
        snapshot = ear.wait_any(ROUND_S)
        if snapshot is None:
            raise Rejected("the observer gave no snapshot")
        yield snapshot


def _print(args: argparse.Namespace, steps: tuple[Told, ...], settings: Settings, now: float) -> None:
    if args.json:
        print(json.dumps(_as_json(steps, settings), indent=1))
    elif args.paper:
        print(paper(steps, settings, now))
    else:
        print("\n".join(_lines(steps, settings, args.live)))


def _as_json(steps: tuple[Told, ...], settings: Settings) -> dict[str, object]:
    rows = [
        {**asdict(one.row), "plans": [{**asdict(plan), "digest": plan.digest} for plan in one.plans]} for one in steps
    ]
    return {"format": 1, "site": settings.site, "world": settings.world, "steps": rows}


def _lines(steps: tuple[Told, ...], settings: Settings, is_live: bool) -> Iterator[str]:
    yield f"{settings.world} {settings.site}"
    for _, members in groupby(steps, key=lambda one: one.row.section):
        section = tuple(members)
        first = section[0].row
        yield f"\n{first.section} {first.section_title}   (Space {first.section_key})"
        for number, one in enumerate(section, 1):
            yield from _step(number, one, is_live)


def _step(number: int, one: Told, is_live: bool) -> Iterator[str]:
    row = one.row
    yield f"\n  {number}. {row.title}   {row.danger}   {row.keys}   cockpit run {row.step}"
    yield f"     {row.summary}"
    if one.error:
        yield f"     cannot be told: {one.error}"
    for plan in one.plans:
        for step in plan.steps:
            yield f"     will do  {step.command}"
            if step.by_hand and step.by_hand != step.command:
                yield f"     by hand  {step.by_hand}"
    for plan in one.plans[:1]:
        yield f"     proof    {'; '.join(plan.proofs)}; within {plan.proof_deadline_s:.0f} s"
        yield f"     undo     {plan.undo}"
    for plan in one.plans if is_live else ():
        for check in plan.checks:
            age = "" if check.evidence_age_s is None else f"  ({check.evidence_age_s:.1f} s old)"
            yield f"     {VERDICTS[check.verdict]:<8} {plan.target}: {check.name}: {check.detail}{age}"
