"""Somebody else's request for a second person as a dialog: who asks, why, our own plan of it, and the answer."""

from __future__ import annotations

from dataclasses import dataclass

from cockpit.model.approval import Look, Request
from cockpit.model.world import World
from themes.glyphs import DANGER
from widgets.figures import short_age
from widgets.guard_rows import WIDEST, box, dialog, labelled, scrolled, told_rows, world_ink
from widgets.line import EMPTY, Line, both, cut_text, field, line, wrapped

REFUSE = "REFUSE"
LABEL = 10
OURS = "All below is what your own cockpit would do, by your own runbook and on your own look at the platform."
NOT_OURS = "This is not what your own cockpit would do: it cannot be approved here."


@dataclass(frozen=True, slots=True)
class Given:
    """Where the second person stands in the dialog."""

    typed: str
    reason: str
    is_reason: bool
    """Whether the reason is being typed."""
    count: tuple[int, int]
    """Which request is shown, of how many."""
    note: str
    """Why the last key did nothing."""
    overrides: tuple[str, ...] = ()
    """Names of the checks that fail on our own look and are overridden."""


def approval_rows(
    request: Request,
    look: Look | None,
    given: Given,
    place: tuple[World, str],
    now: float,
    room: tuple[int, int],
    scroll: int = 0,
) -> list[Line]:
    """The dialog in at most `room` cells; `place` is our own world and site."""
    (world, site), width = place, min(WIDEST, room[0])
    said = f"{request.by} on {request.host} asks for a second person, {request.words}"
    body = [*_wrapped(said, "accent", width - 4), *_seen(request, look, now, width - 4)]
    foot = _foot(request, look, given, now, width - 4)
    body = scrolled(body, room[1] - 2 - len(foot), scroll)
    plan = None if look is None else look.plan
    title = line(
        (f"{world.value} {cut_text(site, 16)}", "strong"),
        (" ── ", world_ink(world)),
        (f"Approve: {request.plan.action if plan is None else plan.title}", "title"),
    )
    tail = line() if plan is None else line((plan.danger.value, DANGER[plan.danger]))
    return dialog(title, tail, [*body, *foot], world_ink(world), width)


def _seen(request: Request, look: Look | None, now: float, width: int) -> list[Line]:
    """Our own plan, or what is asked for where ours is another."""
    if look is None:
        return [EMPTY, line(("looking at the platform …", "label"))]
    if look.plan is not None and look.may_approve:
        warned = [
            each
            for check in look.forbidding(request)
            for each in _wrapped(f"Here it would be refused now: {check.name}: {check.detail}", "crit", width)
        ]
        return [*_wrapped(OURS, "hint", width), *warned, EMPTY, *told_rows(look.plan, now, width)]
    rows = [EMPTY, *_wrapped(NOT_OURS, "crit", width)]
    rows.extend(each for why in look.against for each in _wrapped(why, "crit", width))
    for at, step in enumerate(request.plan.steps):
        rows.extend(labelled("Asked for" if at == 0 else "then", step.command, width))
    ours = () if look.plan is None else look.plan.steps
    for at, step in enumerate(ours):
        rows.extend(labelled("Ours" if at == 0 else "then", step.command, width, "value"))
    return rows


def _foot(request: Request, look: Look | None, given: Given, now: float, width: int) -> list[Line]:
    rows: list[Line] = [EMPTY, *_wrapped(given.note, "hint", width)]
    rows.extend(_refused(request, look, given, width))
    if look is not None and look.may_approve and not look.forbidding(request, given.overrides):
        phrase = look.phrase
        ask = line("Type ", (phrase, "strong"), " to approve, or ", (REFUSE, "strong"), ": ")
    else:
        phrase, ask = REFUSE, line("Type ", (REFUSE, "strong"), " to refuse it: ")
    size = max(8, min(len(phrase) + 1, width - len(phrase) - 32))
    rows.append((*ask, *box(given.typed, size, not given.is_reason)))
    if given.typed == REFUSE or given.reason or given.is_reason or given.overrides:
        label = line(field("Reason", LABEL, "label"))
        rows.append((*label, *box(given.reason, width - LABEL - 1, given.is_reason)))
    left = f"lapses in {short_age(max(0.0, request.lapses_at - now))}"
    others = f"   Left Right request {given.count[0]} of {given.count[1]}" if given.count[1] > 1 else ""
    keys = line((f"Enter answers, Esc leaves it waiting{others}", "dim"))
    rows.append(both(keys, line((left, "label")), width))
    return rows


def _refused(request: Request, look: Look | None, given: Given, width: int) -> list[Line]:
    """What forbids the yes, and the key that overrides it where that may be; or that it is overridden."""
    if look is None or not look.may_approve:
        return []
    forbidding = look.forbidding(request, given.overrides)
    if not forbidding:
        over = ", ".join(check.name for check in look.overridden(request, given.overrides))
        return _wrapped(f"▲ Overridden: {over}", "warn", width) if over else []
    names = ", ".join(check.name for check in forbidding)
    rows = _wrapped(f"■ It cannot be approved here, because of: {names}", "crit", width)
    if all(check.is_overridable for check in look.forbidding(request)):
        rows.append(line((" Ctrl-O ", "key"), ("  overrides it; then give the phrase and a reason", "label")))
    return rows


def _wrapped(text: str, ink: str, width: int) -> list[Line]:
    return [line((each, ink)) for each in wrapped(text, width) if text]
