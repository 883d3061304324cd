"""`cockpit approve [ID]`: what waits for a second person, shown whole, approved or refused by who is logged in here."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import TimeoutError as TooLate
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, TextIO

from actions.runbook import runbook_for
from cockpit.errors import JournalError, Misused, Rejected
from cockpit.headless.plan_text import plan_lines
from cockpit.headless.planning import ear_for, heard, known
from cockpit.headless.platform import find_platform
from cockpit.model.action import row_named
from cockpit.model.approval import Consent, Look, Request
from cockpit.text import clean

if TYPE_CHECKING:
    from cockpit.config import Settings
    from cockpit.jobs.minutes import Minutes
    from cockpit.jobs.scribe import Scribe
    from cockpit.jobs.seconds import Seconds
    from cockpit.jobs.seconds_desk import SecondsDesk
    from cockpit.model.action import ActionSpec

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

AUDIT_WAIT_S = 5.0
UNKNOWN_STEP = "a step that is not in our own runbook"
OURS = "what follows is what this cockpit itself would do, by its own runbook and on its own look at the platform"
REFUSED_HERE = "not approved: this cockpit itself would refuse it now"
NOT_OURS = "this is not what this cockpit itself would do: it is not approved"
EPILOG = """\
Without ID it lists what waits. Who approves must be another login user of this host than who asks, and not root; the
approval is bound to exactly this plan, counts once, and lapses (approvals.lapse_s, 10 minutes). The plan that is shown
is made here, by the own runbook and on an own look at the platform; where that would do anything else than what is
asked for, it says what differs and approves nothing. A check that fails on that look forbids the approval as it would
forbid the step; --override CHECK --reason TEXT goes over it where that may be, and stands beside the approval.

exit codes: 0 approved, refused as told, or listed; 4 not approved (no such request, the phrase is wrong, one's own
request, lapsed, not what this cockpit would do, or a check fails here); 5 it could not be written, also into the audit
"""


def add_arguments(subparsers: Subparsers) -> None:
    """Add `approve`."""
    parser = subparsers.add_parser(
        "approve",
        help="be the second person for somebody else's step",
        description="List what waits for a second person, or approve or refuse one request.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("id", nargs="?", metavar="ID", help="the request, or the beginning of its name")
    parser.add_argument("--confirm", metavar="TEXT", help="the phrase that the plan asks for; else it is asked for")
    parser.add_argument("--refuse", action="store_true", help="refuse it; takes --reason")
    parser.add_argument("--override", metavar="CHECK", action="append", default=[], help="override a check that fails")
    parser.add_argument("--reason", metavar="TEXT", help="why it is refused, or a check overridden")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """List, approve or refuse.

    Raises:
        Rejected: it is not approved.
        JournalError: it cannot be written.
        ConfigError: there is no platform.
    """
    if args.id is None and (args.refuse or args.confirm is not None):
        raise Misused("--refuse and --confirm take the ID of a request")
    settings = find_platform(args.config)
    runbook = runbook_for(settings)
    if runbook.problem:
        print(f"cockpit approve: the fund's own runbook is not used: {runbook.problem}", file=sys.stderr)
    seconds, minutes, scribe = _seconds(settings)
    if args.id is None:
        return _list(seconds, runbook.actions, args)
    request = seconds.find(args.id)
    out = sys.stderr if args.json else sys.stdout
    _say(_request_lines(request, runbook.actions), out)
    if args.refuse:
        # A no asks for no look at the platform.
        _say(_asked_for(request), out)
        seconds.refuse(request, _given(args.reason, "why not? ", "--reason TEXT"))
    else:
        with _our_own(settings, request) as desk:
            look = known(lambda: desk.look(request).result(), lambda look: look.plan, _tell)
            _say(_told(request, look), out)
            if not look.may_approve:
                raise Rejected(f"{NOT_OURS}: {look.against[0]}")
            consent = _consent(request, look, args)
            # Not by the desk: what it writes into the audit is waited for no longer than its session takes to close.
            seconds.approve(request, desk.look(request).result(), consent)
    word = "refused" if args.refuse else "approved"
    _wait_for_audit(minutes, scribe, word)
    print(json.dumps({"format": 1, "request": request.id, "answer": word}) if args.json else f"{word}: {request.name}")
    return 0


def _consent(request: Request, look: Look, args: argparse.Namespace) -> Consent:
    """What is given on the command line or typed, where no check forbids it on our own look.

    Raises:
        Rejected: one does, or there is nobody to ask.
    """
    forbidding = look.forbidding(request, args.override)
    if forbidding:
        check = forbidding[0]
        how = f" (--override '{check.name}' --reason TEXT goes over it)" if check.is_overridable else ""
        raise Rejected(f"{REFUSED_HERE}: {check.name}: {check.detail}{how}")
    phrase, reason = look.phrase, args.reason
    typed = _given(args.confirm, f"type {phrase} to approve: ", f"--confirm '{phrase}'")
    if look.overridden(request, args.override):
        reason = _given(reason, "why is it overridden? ", "--reason TEXT")
    return Consent(typed, tuple(args.override), reason or "")


def _wait_for_audit(minutes: Minutes, scribe: Scribe, word: str) -> None:
    """Until the disk has the record of it: no later process would write what this one still owes.

    Raises:
        JournalError: the audit does not have it.
    """
    try:
        scribe.tell(lambda: None).result(AUDIT_WAIT_S)
        why = minutes.error
    except TooLate:
        why = f"the disk has not taken it within {AUDIT_WAIT_S:g} s"
    if why is not None:
        raise JournalError(f"{word}, but that is not in the audit: {why}")


def _seconds(settings: Settings) -> tuple[Seconds, Minutes, Scribe]:
    from cockpit.clock import SystemClock
    from cockpit.jobs.minutes import Minutes
    from cockpit.jobs.operator import current_operator
    from cockpit.jobs.scribe import Scribe
    from cockpit.jobs.seconds import Seconds
    from cockpit.session import state_folder
    from cockpit.storage.audit import AuditLog

    state, clock, who, scribe = state_folder(settings), SystemClock(), current_operator(), Scribe()
    minutes = Minutes(AuditLog(state), scribe, clock, who, settings.world, settings.site)
    return Seconds(settings, state, clock, who, minutes), minutes, scribe


@contextmanager
def _our_own(settings: Settings, request: Request) -> Iterator[SecondsDesk]:
    """A cockpit of our own that looks at the platform: what is approved is judged by that."""
    _tell("looking at the platform for ourselves")
    from cockpit.session import Session

    session = Session.open(settings)
    row = row_named(session.actions(), request.plan.step or request.plan.action)
    if row is not None:
        ear, wait_s = ear_for(row, settings)
        session.start(ear)
        heard(ear, wait_s, _tell)
    try:
        yield session.seconds
    finally:
        session.stop(1.0)


def _list(seconds: Seconds, actions: tuple[ActionSpec, ...], args: argparse.Namespace) -> int:
    waiting = seconds.waiting()
    if args.json:
        listed = [{**asdict(request), "digest": request.plan.digest} for request in waiting]
        print(json.dumps({"format": 1, "waiting": listed}, indent=1))
        return 0
    for request in waiting:
        row = row_named(actions, request.plan.step or request.plan.action)
        print(clean(request_line(request, UNKNOWN_STEP if row is None else row.title), 400))
        for step in request.plan.steps:
            print(clean(f"          {step.command}", 400))
    if not waiting:
        print(f"nothing waits for a second person{_why_not(seconds)}")
    return 0


def _why_not(seconds: Seconds) -> str:
    why = seconds.why_nobody_can()
    return f" ({clean(why, 300)})" if why else ""


def _say(lines: Iterable[str], out: TextIO) -> None:
    for line in lines:
        print(clean(line, 2000), file=out, flush=True)


def _tell(words: str) -> None:
    """What is waited for: nobody sits before a silent terminal."""
    print(f"  … {clean(words, 300)}", file=sys.stderr, flush=True)


def request_line(request: Request, title: str) -> str:
    """One request as a line, under the title that our own runbook gives the step."""
    plan = request.plan
    return f"{request.name}  {plan.world} {plan.site}: {request.by} asks: {title}, {request.words}"


def _request_lines(request: Request, actions: tuple[ActionSpec, ...]) -> Iterator[str]:
    """Who asks for what, which is known before anybody has looked at the platform."""
    row = row_named(actions, request.plan.step or request.plan.action)
    yield request_line(request, UNKNOWN_STEP if row is None else row.title)
    yield f"  request   {request.id}"


def _asked_for(request: Request) -> Iterator[str]:
    return (f"  asked for {step.command}" for step in request.plan.steps)


def _told(request: Request, look: Look) -> Iterator[str]:
    """Our own plan of what is asked for, or both sides' commands where ours is another."""
    if look.plan is not None and look.may_approve:
        yield f"  {OURS}"
        for check in look.forbidding(request):
            yield f"  !! here it would be refused now: {check.name}: {check.detail}"
        yield from plan_lines(look.plan)
        return
    yield f"  !! {NOT_OURS}"
    for why in look.against:
        yield f"  !! {why}"
    yield from _asked_for(request)
    for step in () if look.plan is None else look.plan.steps:
        yield f"  ours      {step.command}"


def _given(value: str | None, question: str, option: str) -> str:
    """What was given on the command line, else what is typed.

    Raises:
        Rejected: there is nobody to ask.
    """
    if value is not None:
        return value
    if not sys.stdin.isatty():
        raise Rejected(f"nothing was approved, and there is no terminal to ask on: {option}")
    print(clean(question, 400), end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().rstrip("\n")
