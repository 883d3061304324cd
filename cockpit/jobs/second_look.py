"""What somebody else asks a second person for, planned anew: by our own runbook, on our own look at the platform.

Whoever asks wrote the file. Nothing of it is believed but which step it is and on what: sentence, commands, checks and
impact are our own, and where our commands are not theirs nothing is approved.
"""

from __future__ import annotations

from collections.abc import Iterator

from cockpit import accounts
from cockpit.errors import NOT_OURS, CockpitError, Rejected
from cockpit.jobs.planner import Planner
from cockpit.jobs.rows import UNSAFE_UNNAMED, row_for
from cockpit.model.approval import Look, Request
from cockpit.model.audit import Operator
from cockpit.model.plan import Plan
from cockpit.model.snapshot import Snapshot
from cockpit.text import clean

SHOWN = 120
"""So much of each side of a difference is told."""
BEFORE = 24
"""And so much of what both sides have in common right before it."""


def second_look(planner: Planner, request: Request, snapshot: Snapshot) -> Look:
    """Our own plan of what is asked for, and why it cannot be approved; it changes nothing and never waits."""
    try:
        mine = _planned(planner, request, snapshot)
    except CockpitError as error:
        return Look(request.id, None, (str(error),))
    except NOT_OURS as error:
        return Look(request.id, None, (f"nothing can be planned by what is asked for: {clean(repr(error))}",))
    return Look(request.id, mine, tuple(_differences(request.plan, mine)))


def _planned(planner: Planner, request: Request, snapshot: Snapshot) -> Plan:
    asked = request.plan
    named = clean(asked.step or asked.action, 60)
    try:
        row = row_for(planner.actions, asked.step or asked.action)
    except Rejected:
        raise Rejected(f"our own runbook has no step {named}") from None
    if row.id != asked.action:
        raise Rejected(f"{named} is {row.id} in our own runbook, and {clean(asked.action, 60)} in what is asked for")
    parameters = dict(asked.parameters)
    foreign = sorted(set(parameters) - set(dict(row.parameters))) if row.id.startswith(UNSAFE_UNNAMED) else ()
    if foreign:
        # Such a step is whatever its parameters say: only those of our own runbook count.
        raise Rejected(f"{named} has no {clean(foreign[0], 40)} in our own runbook")
    return planner.plan(row, parameters, snapshot, _who_asks(request))


def _who_asks(request: Request) -> Operator:
    """As whom they would act: what is written is signed with that name."""
    login = request.by if request.login_uid is None else accounts.user_name(request.login_uid)
    return Operator(login, request.by, request.host, None, None)


def _differences(asked: Plan, mine: Plan) -> Iterator[str]:
    """What would be done, or guards it, there and not here; nothing where both are the same."""
    here = mine.intent
    for name, theirs in asked.intent.items():
        if theirs == here[name]:
            continue
        if name == "steps":
            yield from _commands(asked, mine)
        elif name == "parameters":
            yield from _parameters(dict(asked.parameters), dict(mine.parameters))
        else:
            yield _differs(name.replace("_", " "), theirs, here[name])


def _commands(asked: Plan, mine: Plan) -> Iterator[str]:
    if len(asked.steps) != len(mine.steps):
        yield _differs("how many commands", len(asked.steps), len(mine.steps))
    for theirs, ours in zip(asked.steps, mine.steps, strict=False):
        if theirs.command != ours.command:
            yield _differs("command", theirs.command, ours.command)
        elif theirs != ours:
            yield _differs("step", (theirs.meaning, theirs.by_hand), (ours.meaning, ours.by_hand))


def _parameters(theirs: dict[str, str], ours: dict[str, str]) -> Iterator[str]:
    for name in sorted({*theirs, *ours}):
        if theirs.get(name) != ours.get(name):
            yield _differs(clean(name, 40), theirs.get(name, "nothing"), ours.get(name, "nothing"))
    if theirs == ours:
        yield "the parameters: asked for are the same, written otherwise"


def _differs(what: str, theirs: object, ours: object) -> str:
    """Both sides from shortly before they part: a long command may differ in its last word."""
    there, here = str(theirs), str(ours)
    pairs = enumerate(zip(there, here, strict=False))
    parted = next((at for at, (one, other) in pairs if one != other), min(len(there), len(here)))
    begin = max(0, parted - BEFORE)
    lead = "…" if begin else ""
    there, here = (f"{lead}{clean(each[begin:], SHOWN)}" for each in (there, here))
    return f"{what}: asked for is {there}; by our own look it is {here}"
