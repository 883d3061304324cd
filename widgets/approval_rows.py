"""Somebody else's request for a second person as a dialog: who asks, why, the whole plan, and the answer."""

from __future__ import annotations

from cockpit.model.approval import Request
from themes.glyphs import DANGER
from widgets.figures import short_age
from widgets.guard_rows import WIDEST, box, dialog, scrolled, told_rows, world_ink
from widgets.line import EMPTY, Line, both, cut_text, field, line, wrapped

REFUSE = "REFUSE"
LABEL = 10


def approval_rows(
    request: Request,
    texts: tuple[str, str],
    is_reason: bool,
    count: tuple[int, int],
    note: str,
    now: float,
    room: tuple[int, int],
    scroll: int = 0,
) -> list[Line]:
    """The dialog in at most `room` cells; `texts` are the answer and the reason as typed so far."""
    plan, width = request.plan, min(WIDEST, room[0])
    said = f"{request.by} on {request.host} asks for a second person, {request.words}"
    body = [
        *(line((each, "accent")) for each in wrapped(said, width - 4)),
        *(line((each, "hint")) for each in wrapped(request.doubt, width - 4)),
        EMPTY,
        *told_rows(plan, now, width - 4),
    ]
    foot = _foot(request, texts, is_reason, count, note, now, width - 4)
    body = scrolled(body, room[1] - 2 - len(foot), scroll)
    title = line(
        (f"{plan.world.value} {cut_text(plan.site, 16)}", "strong"),
        (" ── ", world_ink(plan.world)),
        (f"Approve: {plan.title}", "title"),
    )
    return dialog(title, line((plan.danger.value, DANGER[plan.danger])), [*body, *foot], world_ink(plan.world), width)


def _foot(
    request: Request,
    texts: tuple[str, str],
    is_reason: bool,
    count: tuple[int, int],
    note: str,
    now: float,
    width: int,
) -> list[Line]:
    phrase = request.plan.phrase or "y"
    typed, reason = texts
    rows: list[Line] = [EMPTY, *(line((each, "hint")) for each in wrapped(note, width) if note)]
    ask = line("Type ", (phrase, "strong"), " to approve, or ", (REFUSE, "strong"), ": ")
    size = max(8, min(len(phrase) + 1, width - len(phrase) - 32))
    rows.append((*ask, *box(typed, size, not is_reason)))
    if typed == REFUSE or reason or is_reason:
        rows.append((*line(field("Reason", LABEL, "label")), *box(reason, width - LABEL - 1, is_reason)))
    left = f"lapses in {short_age(max(0.0, request.lapses_at - now))}"
    others = f"   ← → request {count[0]} of {count[1]}" if count[1] > 1 else ""
    rows.append(both(line((f"Enter answers, Esc leaves it waiting{others}", "dim")), line((left, "label")), width))
    return rows
