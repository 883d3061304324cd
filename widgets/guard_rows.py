"""A plan as a dialog: everything that will happen, before it happens."""

from __future__ import annotations

from dataclasses import dataclass

from cockpit.model.approval import Second
from cockpit.model.plan import GLASS, Check, Danger, Plan, Verdict
from cockpit.model.world import World
from themes.glyphs import DANGER
from themes.verdicts import VERDICT
from widgets.figures import short_age
from widgets.line import EMPTY, Line, both, cut, cut_text, field, line, pad, plain, width_of, wrapped
from widgets.printable import safe

LABEL = 10
_WORST_FIRST = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.WARN, Verdict.PASS)
WIDEST = 84


@dataclass(frozen=True, slots=True)
class Answer:
    """Where the operator stands in the dialog."""

    focus: str = "cancel"
    """cancel, phrase or reason."""
    phrase: str = ""
    reason: str = ""
    note: str = ""
    """Why the last key did nothing."""
    overrides: tuple[str, ...] = ()
    """Names of the failed checks that the operator overrides."""
    is_sending: bool = False
    second: Second | None = None
    """How the request for a second person stands; None where nobody was asked."""
    glass: str | None = None
    """What is typed to act alone; None where nobody reached for it."""


def forbidding(plan: Plan, answer: Answer) -> tuple[Check, ...]:
    """The checks that forbid it still: what is overridden, and may be, does not."""
    return tuple(check for check in plan.blocking if not (check.is_overridable and check.name in answer.overrides))


def may_override(plan: Plan) -> bool:
    """Whether every failed check may be overridden; never where a single key would confirm it."""
    return plan.phrase is not None and all(check.is_overridable for check in plan.blocking)


def wants_reason(plan: Plan, answer: Answer) -> bool:
    """Whether a reason must be given."""
    return plan.needs_reason or bool(answer.overrides)


def world_ink(world: World) -> str:
    """The ink of a border in this world."""
    return f"line_{world.value.lower()}"


def dialog(title: Line, tail: Line, body: list[Line], ink: str, width: int) -> list[Line]:
    """Lines in a border of the world's colour."""
    end = line(" ", *tail, (" ─╮", ink)) if tail else line(("─╮", ink))
    # A long title gives way: the class of the step and the corner stay.
    top = line(("╭─ ", ink), *cut(safe(title), max(1, width - width_of(end) - 4)), " ")
    fill = max(0, width - width_of(top) - width_of(end))
    rows: list[Line] = [(*top, ("─" * fill, ink), *end)]
    rows.extend((("│ ", ink), *pad(safe(each), width - 4), (" │", ink)) for each in body)
    rows.append((("╰" + "─" * (width - 2) + "╯", ink),))
    return rows


def scrolled(body: list[Line], space: int, scroll: int) -> list[Line]:
    """What of the body is to be seen in so many rows, and how much more there is."""
    if len(body) <= space:
        return body
    kept = max(1, space - 1)
    scroll = max(0, min(scroll, len(body) - kept))
    more = len(body) - scroll - kept
    key, words = ("PgDn", f"{more} more lines") if more else ("PgUp", "the beginning is above")
    tail = line((f"{words}  ", "accent"), (key, "key"))
    return [*body[scroll : scroll + kept], tail]


def guard_rows(plan: Plan, answer: Answer, now: float, room: tuple[int, int], scroll: int = 0) -> list[Line]:
    """The dialog, in at most `room` cells; what does not fit can be scrolled to, the foot always stays."""
    width = min(WIDEST, room[0])
    body = told_rows(plan, now, width - 4)
    foot = _foot(plan, answer, now, width - 4)
    body = scrolled(body, room[1] - 2 - len(foot), scroll)
    title = line(
        (f"{plan.world.value} {cut_text(plan.site, 16)}", "strong"),
        (" ── ", world_ink(plan.world)),
        (plan.title, "title"),
    )
    return dialog(title, line((plan.danger.value, DANGER[plan.danger])), [*body, *foot], world_ink(plan.world), width)


def told_rows(plan: Plan, now: float, width: int) -> list[Line]:
    """Everything that the plan says."""
    rows = [line((each, "value")) for each in wrapped(plan.sentence, width)]
    rows.append(EMPTY)
    # On a small screen the end of a long list is out of sight: what forbids it and what is lost by it stand first.
    passed_s = max(0.0, now - plan.prepared_at)
    checks = sorted(plan.checks, key=lambda check: _WORST_FIRST.index(check.verdict))
    refusing = [check for check in checks if check.blocks]
    for at, check in enumerate(refusing):
        rows.extend(_check("Checks" if at == 0 else "", check, passed_s, width))
    for at, impact in enumerate(plan.impact):
        rows.extend(labelled("Impact" if at == 0 else "", impact, width))
    for at, check in enumerate(checks[len(refusing) :]):
        rows.extend(_check(("also" if refusing else "Checks") if at == 0 else "", check, passed_s, width))
    for at, step in enumerate(plan.steps):
        rows.extend(labelled("Will do" if at == 0 else "then", step.command, width, "value"))
    by_hand = [step.by_hand for step in plan.steps if step.by_hand]
    for at, command in enumerate(by_hand):
        rows.extend(labelled("By hand" if at == 0 else "", command, width))
    for at, proof in enumerate(plan.proofs):
        rows.extend(labelled("Proof" if at == 0 else "", proof, width))
    if plan.proofs:
        rows.extend(labelled("", f"within {plan.proof_deadline_s:g} s", width, "label"))
    rows.extend(labelled("Undo", plan.undo, width))
    if plan.danger is Danger.DANGER:
        needed = "another login user of this host must approve it" if plan.needs_second else "none needed in this world"
        rows.extend(labelled("Second", needed, width))
    if plan.usually:
        rows.extend(labelled("Usually", plan.usually, width))
    return rows


def labelled(label: str, text: str, width: int, ink: str = "text") -> list[Line]:
    """A text in full beside its label."""
    parts = wrapped(text, width - LABEL) or ("",)
    return [line(field(label if at == 0 else "", LABEL, "label"), (each, ink)) for at, each in enumerate(parts)]


def _check(label: str, check: Check, passed_s: float, width: int) -> list[Line]:
    mark = VERDICT[check.verdict]
    # The evidence goes on ageing while the dialog stands open.
    age = None if check.evidence_age_s is None else check.evidence_age_s + passed_s
    old = line((f"{short_age(age)} old", "label")) if age is not None else ()
    said = f"{check.name}: {check.detail}" if check.detail else check.name
    room = width - LABEL - 2 - (width_of(old) + 2 if old else 0)
    first, *more = wrapped(said, room) or ("",)
    word = "" if mark.word == "ok" else f"{mark.word} "
    if word and len(first) + len(word) > room:
        first, *more = wrapped(word + said, room)
        word = ""
    ink = "text" if mark.word == "ok" else mark.ink
    head = line(field(label, LABEL, "label"), (f"{mark.glyph} ", mark.ink), (word, mark.ink), (first, ink))
    return [both(head, old, width), *(line(" " * (LABEL + 2), (each, ink)) for each in more)]


def _foot(plan: Plan, answer: Answer, now: float, width: int) -> list[Line]:
    rows: list[Line] = [EMPTY]
    if plan.why_nobody:
        barred = f"▲ Nobody else can approve it: {plan.why_nobody}. Ctrl-G acts alone, loudly recorded."
        rows.extend(line((each, "warn")) for each in wrapped(barred, width))
    if answer.note:
        rows.extend(line((each, "hint")) for each in wrapped(answer.note, width))
    cancel = line(("[ Cancel ]", "picked" if answer.focus == "cancel" else "label"))
    refusals = forbidding(plan, answer)
    if refusals:
        names = ", ".join(check.name for check in refusals)
        refused = [line((each, "crit")) for each in wrapped(f"■ Refused, because of: {names}", width - 12)]
        if may_override(plan):
            rows.append(line((" Ctrl-O ", "key"), ("  overrides it; then give the phrase and a reason", "label")))
        return [*rows, *refused[:-1], both(refused[-1], cancel, width)]
    if answer.overrides:
        rows.extend(line((each, "warn")) for each in wrapped(f"▲ Overridden: {', '.join(answer.overrides)}", width))
    if answer.is_sending:
        return [*rows, both(line(("▶ confirmed, on its way", "accent")), (), width)]
    if answer.glass is not None:
        return [*rows, *_glass(answer.glass, width)]
    if answer.second is not None:
        return [*rows, *_awaited(answer.second, now, width)]
    if plan.phrase is None:
        return [*rows, both(line((" y ", "block_ok"), (f"  {plan.title}", "strong")), cancel, width)]
    return [*rows, *_typed(plan, answer, cancel, width)]


def _typed(plan: Plan, answer: Answer, cancel: Line, width: int) -> list[Line]:
    is_right = answer.phrase == plan.phrase
    ask = line(
        "Type ",
        (plan.phrase or "", "strong"),
        (" to go on: " if not is_right else " ● matches ", "ok" if is_right else "text"),
    )
    typing = box(answer.phrase, len(plan.phrase or "") + 1, answer.focus == "phrase")
    if width_of(ask) + width_of(typing) + 1 + width_of(cancel) <= width:
        rows = [both((*ask, *typing), cancel, width)]
    else:
        # What is being typed is never cut: a long phrase has a line of its own.
        room = width - LABEL - width_of(cancel) - 1
        typing = box(answer.phrase, min(len(plan.phrase or "") + 1, room), answer.focus == "phrase")
        rows = [*_over(ask, width), both(line((" " * LABEL, "text"), *typing), cancel, width)]
    if wants_reason(plan, answer):
        label = line(field("Reason", LABEL, "label"))
        rows.append((*label, *box(answer.reason, width - LABEL - 1, answer.focus == "reason")))
    ready = is_right and (bool(answer.reason.strip()) or not wants_reason(plan, answer))
    if ready and plan.why_nobody:
        rows.append(line((" Ctrl-G ", "key"), (f"  alone: {plan.title}", "strong")))
    elif ready:
        rows.append(
            line(
                (" Enter ", "block_crit" if plan.danger is Danger.DANGER else "block_warn"),
                (f"  {'asks for a second person: ' if plan.needs_second else ''}{plan.title}", "strong"),
            )
        )
        if plan.needs_second:
            rows.append(line((" Ctrl-G ", "key"), ("  nobody there? It can be done alone, loudly recorded", "label")))
    else:
        rows.append(line(("Tab goes on, Esc cancels", "dim")))
    return rows


def _over(spans: Line, width: int) -> list[Line]:
    """In full, over as many lines as it takes."""
    return [line((part, "strong")) for part in wrapped(plain(spans), width)] if width_of(spans) > width else [spans]


def _awaited(second: Second, now: float, width: int) -> list[Line]:
    left_s = max(0.0, (second.lapses_at or now) - now)
    doubt = [] if second.words.startswith("waiting") else [line((cut_text(second.words, width), "warn"))]
    return [
        line(("◌ Waiting for a second person. ", "accent"), ("Somebody else logs in on this host and types", "text")),
        line("    ", (f"cockpit approve {second.name}", "strong"), (f"   lapses in {short_age(left_s)}", "label")),
        *doubt,
        line(("It goes on by itself then.  Esc takes it back, Ctrl-G acts alone", "dim")),
    ]


def _glass(typed: str, width: int) -> list[Line]:
    words = "Alone, against the rule of two persons: it is recorded loudly, and somebody else must review it."
    ask = line("Type ", (GLASS, "strong"), " and Enter: ")
    return [
        *(line((each, "crit")) for each in wrapped(words, width)),
        (*ask, *box(typed, len(GLASS) + 1, True)),
        line(("Esc goes back", "dim")),
    ]


def box(text: str, width: int, is_active: bool) -> Line:
    """A text field with its cursor."""
    shown = text[-(width - 1) :]
    rest = " " * max(0, width - len(shown) - 1)
    return line((shown, "field"), (" ", "cursor" if is_active else "field"), (rest, "field"))
