"""Waits without a screen for the second person that a plan needs, or lets somebody act alone, with a reason."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from cockpit.errors import Rejected
from cockpit.model.approval import Request, Second, Standing
from cockpit.model.plan import GLASS, Confirmation, Plan

if TYPE_CHECKING:
    from cockpit.session import Session

LOOK_S = 0.25


def with_second(
    session: Session, plan: Plan, confirmation: Confirmation, is_glass_broken: bool, say: Callable[[str], None]
) -> Confirmation:
    """The confirmation with what it still needs.

    Raises:
        Rejected: nobody can approve it, somebody refused, nobody did in time, or there is no reason to act alone.
    """
    reason = (confirmation.reason or "").strip()
    if is_glass_broken:
        if not reason:
            raise Rejected("breaking the glass needs a reason: --reason TEXT")
        say(f"  !! {GLASS}: done alone, recorded, and to be reviewed by somebody else")
        return replace(confirmation, break_glass=True)
    request = session.seconds.ask(plan, reason, confirmation.overrides).result()
    say(f"  waiting for a second person: another login user of {request.host} runs `cockpit approve {request.name}`")
    try:
        found = _answer(session, request)
    except KeyboardInterrupt:
        session.seconds.withdraw(request.id).result()
        say("  the request was taken back: nothing was done")
        raise
    if found.standing is not Standing.APPROVED:
        raise Rejected(f"no second person: {found.words}")
    say(f"  {found.words}")
    return replace(confirmation, approval=request.id)


def _answer(session: Session, request: Request) -> Second:
    """It ends by itself: a request lapses."""
    while True:
        found = session.seconds.standing(request.id).result()
        if found.standing is not Standing.WAITING:
            return found
        time.sleep(LOOK_S)
