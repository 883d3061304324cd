"""`cockpit approve [ID]`: what waits for a second person, shown whole, approved or refused by who is logged in here."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from cockpit.errors import Rejected
from cockpit.headless.plan_text import plan_lines
from cockpit.headless.platform import find_platform
from cockpit.model.approval import Request
from cockpit.text import clean

if TYPE_CHECKING:
    from cockpit.config import Settings
    from cockpit.jobs.scribe import Scribe
    from cockpit.jobs.seconds import Seconds

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

AUDIT_WAIT_S = 5.0
EPILOG = """\
Without ID it lists what waits. Who approves must be another login user of this host than who asks, and not root; the
approval is bound to exactly this plan, counts once, and lapses (approvals.lapse_s, 10 minutes).

exit codes: 0 approved, refused as told, or listed; 4 not approved (no such request, the phrase is wrong, one's own
request, lapsed); 5 it could not be written
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
    parser.add_argument("--reason", metavar="TEXT", help="why it is refused")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """List, approve or refuse.

    Raises:
        Rejected: it is not approved.
        JournalError: it cannot be written.
        ConfigError: there is no platform.
    """
    settings = find_platform(args.config)
    seconds, scribe = _seconds(settings)
    if args.id is None:
        return _list(seconds, args)
    request = seconds.find(args.id)
    for line in _told(request):
        print(line, file=sys.stderr if args.json else sys.stdout, flush=True)
    if args.refuse:
        seconds.refuse(request, _given(args.reason, "why not? ", "--reason TEXT"))
    else:
        phrase = request.plan.phrase or "y"
        seconds.approve(request, _given(args.confirm, f"type {phrase} to approve: ", f"--confirm '{phrase}'"))
    scribe.tell(lambda: None).result(AUDIT_WAIT_S)
    word = "refused" if args.refuse else "approved"
    print(json.dumps({"format": 1, "request": request.id, "answer": word}) if args.json else f"{word}: {request.name}")
    return 0


def _seconds(settings: Settings) -> tuple[Seconds, Scribe]:
    from cockpit.clock import SystemClock
    from cockpit.jobs.minutes import Minutes
    from cockpit.jobs.operator import current_operator
    from cockpit.jobs.scribe import Scribe
    from cockpit.jobs.seconds import Seconds
    from cockpit.session import state_folder
    from cockpit.storage.audit import AuditLog

    state, clock, who, scribe = state_folder(settings), SystemClock(), current_operator(), Scribe()
    minutes = Minutes(AuditLog(state), scribe, clock, who, settings.world, settings.site)
    return Seconds(settings, state, clock, who, minutes), scribe


def _list(seconds: Seconds, args: argparse.Namespace) -> int:
    waiting = seconds.waiting()
    if args.json:
        listed = [{**asdict(request), "digest": request.plan.digest} for request in waiting]
        print(json.dumps({"format": 1, "waiting": listed}, indent=1))
        return 0
    for request in waiting:
        print(clean(request_line(request), 400))
        for step in request.plan.steps:
            print(clean(f"          {step.command}", 400))
    if not waiting:
        print(f"nothing waits for a second person{_why_not(seconds)}")
    return 0


def _why_not(seconds: Seconds) -> str:
    why = seconds.why_nobody_can()
    return f" ({clean(why, 300)})" if why else ""


def request_line(request: Request) -> str:
    """One request as a line."""
    plan = request.plan
    return f"{request.name}  {plan.world} {plan.site}: {request.by} asks: {plan.title}, {request.words}"


def _told(request: Request) -> list[str]:
    """Everything that is approved; another user wrote it, so nothing of it reaches the terminal as it is."""
    said = [request_line(request), *plan_lines(request.plan), f"  request   {request.id}", f"  {request.doubt}"]
    return [clean(line, 2000) for line in said]


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
