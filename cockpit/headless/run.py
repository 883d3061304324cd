"""`cockpit run STEP`: the plan, the confirmation, the act and its proof, without a screen."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

from actions.catalogue import ACTIONS
from actions.parameters import PARAMETERS
from actions.runbook import runbook_for
from cockpit.errors import Misused, Rejected
from cockpit.headless.plan_text import end_line, plan_lines, step_line
from cockpit.headless.planning import ear_for, known
from cockpit.headless.platform import find_platform
from cockpit.headless.second import with_second
from cockpit.model.action import ActionSpec
from cockpit.model.job import Job, Phase, StepState
from cockpit.model.plan import Check, Confirmation, Danger, Plan
from cockpit.text import clean

if TYPE_CHECKING:
    from cockpit.session import Session

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

FOLLOW_S = 0.05
PATIENCE_S = 30.0
"""Beyond the deadlines of the steps and of the proof: a worker has to start, and looks first."""
SHOWN_BYTES = 1 << 16
YES = ("y", "yes")
USAGE = 2
EPILOG = """\
exit codes: 0 done and proven, 1 failed or in doubt, 2 no such step or parameter,
            4 refused (a check fails, or it was not confirmed)

Without --confirm it asks on the terminal; without a terminal nothing is done. Where a second person must approve,
it waits until another login user of this host has run `cockpit approve`; Ctrl-C takes the request back.
  cockpit run kill-switch --reason "IBKR down" --confirm y
  cockpit run kill-switch-release --reason "IBKR is back" --confirm "START TRADING hf-1"
  cockpit run restart-ingestion --confirm ws-gateway
"""


def add_arguments(subparsers: Subparsers) -> None:
    """Add `run`."""
    about = "Take a step of the runbook: show the plan, confirm, act, prove."
    parser = subparsers.add_parser(
        "run",
        help="take a runbook step without the screen",
        description=about,
        epilog=f"steps:\n{_steps()}\n\n{EPILOG}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("step", metavar="STEP", help="one of the steps below, or of the fund's own runbook")
    parser.add_argument("--reason", metavar="TEXT", help="why; stands in Redis and in the audit")
    parser.add_argument("--confirm", metavar="TEXT", help="y, or the phrase that the plan asks for")
    parser.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], help="a parameter of the step")
    parser.add_argument("--override", metavar="CHECK", action="append", default=[], help="override a failed check")
    parser.add_argument(
        "--break-glass",
        action="store_true",
        help="act alone where a second person is needed; takes --reason, is recorded loudly and must be reviewed",
    )
    parser.add_argument("--dry-run", action="store_true", help="only show the plan")
    parser.add_argument("--json", action="store_true", help="print one JSON object: plan and job")


def _steps() -> str:
    return "\n".join(f"  {row.step:<22} {row.section} {row.title} ({row.danger})" for row in ACTIONS)


def run(args: argparse.Namespace) -> int:
    """Take the step.

    Raises:
        Misused: the step takes no such parameter.
        Rejected: it was not confirmed, or a check forbids it.
        ConfigError: there is no platform.
    """
    from cockpit.session import Session

    settings = find_platform(args.config)
    runbook = runbook_for(settings)
    row = next((row for row in runbook.actions if row.step == args.step), None)
    if runbook.problem:
        print(f"cockpit run: the fund's own runbook is not used: {runbook.problem}", file=sys.stderr)
    if row is None:
        known = ", ".join(row.step for row in runbook.actions)
        print(f"cockpit run: there is no step {clean(args.step, 60)}; there are: {known}", file=sys.stderr)
        return USAGE
    parameters = _parameters(args, row)
    ear, wait_s = ear_for(row, settings)
    session = Session.open(settings)
    session.start(ear)
    try:
        ear.wait_round(wait_s)
        return _take(session, row, parameters, args)
    finally:
        session.stop(1.0)


def _parameters(args: argparse.Namespace, row: ActionSpec) -> dict[str, str]:
    """What was given; a name that the step does not know would leave it to its own choice."""
    known = dict.fromkeys((*PARAMETERS.get(row.id, ()), *dict(row.parameters)))
    found = {"reason": args.reason} if args.reason else {}
    for given in args.set:
        name, sign, value = given.partition("=")
        if not (name and sign):
            raise Misused(f"--set takes NAME=VALUE, not {given!r}")
        if name not in known:
            raise Misused(f"{row.step} takes no {clean(name, 40)!r}; it takes: {', '.join(known) or 'none'}")
        found[name] = value
    return found


def _take(session: Session, row: ActionSpec, parameters: dict[str, str], args: argparse.Namespace) -> int:
    say: Callable[[str], None] = (lambda _: None) if args.json else _say
    plan = known(lambda: session.prepare(row.step, parameters).result(), lambda plan: plan)
    for line in plan_lines(plan):
        say(line)
    if args.dry_run:
        for check in plan.blocking:
            if how := _how_to_choose(plan, check, args):
                say(f"  refused   {check.name}: {check.detail}{how}")
        _print_json(args, plan, None)
        return 0 if plan.is_allowed else Rejected.exit_code
    confirmation = _confirmation(plan, args)
    if plan.needs_second:
        # What was typed is not asked for twice: the answer may take minutes.
        confirmation = with_second(session, plan, confirmation, args.break_glass, say)
    job = session.submit(plan, confirmation).result()
    for note in job.notes:
        if note not in (job.error or ""):
            say(f"  !! {note}")
    try:
        job = _follow(session, job, _limit_s(plan), say)
    except KeyboardInterrupt:
        say(f"it goes on without you (job {job.id})")
        raise
    if row.danger is Danger.OBSERVE:
        # What was looked at is the point of it.
        for line in _output(session, job):
            say(line)
    say(end_line(job))
    _print_json(args, plan, job)
    return 0 if job.phase is Phase.DONE else 1


def _output(session: Session, job: Job) -> list[str]:
    from cockpit.session import state_folder
    from cockpit.storage.output import last_output

    output = last_output(state_folder(session.settings) / "jobs" / job.id, SHOWN_BYTES)
    return [clean(line, 300) for line in output.decode("utf-8", "replace").splitlines()]


def _limit_s(plan: Plan) -> float:
    from cockpit.jobs.action import action_for, is_worked

    action = action_for(plan.action)
    acting_s = sum(step.deadline_s for step in action.steps(plan)) if is_worked(action) else 0.0
    return acting_s + plan.proof_deadline_s + PATIENCE_S


def _confirmation(plan: Plan, args: argparse.Namespace) -> Confirmation:
    """What was given on the command line, else what is typed; what only looks needs none."""
    if plan.danger is Danger.OBSERVE:
        return Confirmation(plan.digest, None, args.reason)
    blocking = [check for check in plan.blocking if check.name not in args.override]
    if blocking:
        raise Rejected(
            "; ".join(f"{check.name}: {check.detail}{_how_to_choose(plan, check, args)}" for check in blocking)
        )
    reason = args.reason
    if plan.needs_reason and not reason:
        reason = _ask("the reason: ", "--reason")
    if plan.phrase is None:
        typed = args.confirm if args.confirm is not None else _ask("y to go on: ", "--confirm y")
        if typed.strip().lower() not in YES:
            raise Rejected("not confirmed: nothing was done")
        typed = None
    else:
        typed = (
            args.confirm if args.confirm is not None else _ask(f"type {plan.phrase}: ", f"--confirm '{plan.phrase}'")
        )
    return Confirmation(plan.digest, typed, reason, tuple(args.override))


def _how_to_choose(plan: Plan, check: Check, args: argparse.Namespace) -> str:
    """What a screen lets one choose from a list is an option here."""
    is_given = any(given.startswith(f"{check.name}=") for given in args.set)
    is_choice = check.name in PARAMETERS.get(plan.action, ()) and not is_given
    return f" (--set {check.name}=NAME)" if is_choice else ""


def _ask(question: str, option: str) -> str:
    if not sys.stdin.isatty():
        raise Rejected(f"not confirmed, and there is no terminal to ask on: {option}")
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().rstrip("\n")


def _follow(session: Session, job: Job, limit_s: float, say: Callable[[str], None]) -> Job:
    """Tell each change until it is over."""
    ends_at = time.monotonic() + limit_s
    told: dict[str, str] = {}
    while True:
        job = session.job(job.id) or job
        for step in (*job.steps, *job.proofs):
            # Only what is decided: the details of a running proof change all the time.
            if told.get(step.name) != step.state and step.state not in (StepState.WAITING, StepState.RUNNING):
                told[step.name] = step.state
                say(step_line(step))
        if job.phase.is_over or time.monotonic() >= ends_at:
            return job
        time.sleep(FOLLOW_S)


def _say(line: str) -> None:
    print(line, flush=True)


def _print_json(args: argparse.Namespace, plan: Plan, job: Job | None) -> None:
    if args.json:
        told = {
            "format": 1,
            "plan": {**asdict(plan), "digest": plan.digest},
            "job": None if job is None else asdict(job),
        }
        print(json.dumps(told, indent=1))
