"""The runbook: its sections, the suggested ones first, and each step with whether it could be taken now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from cockpit.model.action import ActionSpec
from cockpit.model.finding import Finding
from cockpit.model.job import Job, Phase
from cockpit.model.walk import Passed, Walk
from themes.glyphs import DANGER, SEVERITY, Mark
from widgets import line as lines
from widgets.figures import age, plural
from widgets.job_rows import phase_mark
from widgets.jobs_rows import ruled, when
from widgets.line import EMPTY, Line, both, cut, cut_text, width_of, wrapped
from widgets.standing import LOOKING, Standing

CLASS = 9
KEYS = 5
WIDEST_TITLE = 38
LAST = 22
STATE = 20
"""Cells that whether it could be taken needs to be said; why not stands in full with the picked step."""
WIDE = 110
"""From here on each step says when it was last taken."""
DETAIL = 6
_PASSED = {
    Passed.PROVEN: Mark("●", "proven", "ok"),
    Passed.SKIPPED: Mark("○", "skipped", "label"),
    Passed.UNPROVEN: Mark("?", "taken, not proven", "unknown"),
}


@dataclass(frozen=True, slots=True)
class Book:
    """All that the runbook's screen shows."""

    now: float
    steps: Sequence[ActionSpec] = ()
    """In the order in which they are shown."""
    picked: str | None = None
    standings: Mapping[str, Standing] = field(default_factory=dict)
    suggested: Mapping[str, Finding] = field(default_factory=dict)
    """Section -> the worst finding that it answers."""
    jobs: Sequence[Job] | None = ()
    """The newest first; None is not read yet."""
    walk: Walk | None = None


def suggestions(findings: Sequence[Finding]) -> dict[str, Finding]:
    """Section -> the worst finding that it answers, the worst first."""
    found: dict[str, Finding] = {}
    for finding in findings:
        if finding.section is not None and not finding.is_expected:
            found.setdefault(finding.section, finding)
    return found


def ordered(steps: Sequence[ActionSpec], suggested: Sequence[str]) -> tuple[ActionSpec, ...]:
    """The steps of the suggested sections first, otherwise as the runbook has them."""
    ranks = {section: rank for rank, section in enumerate(suggested)}
    return tuple(sorted(steps, key=lambda step: ranks.get(step.section, len(ranks))))


def visible(book: Book, width: int, height: int) -> tuple[ActionSpec, ...]:
    """The steps that are to be seen."""
    _, shown = _listed(book, width, height)
    return tuple(step for step in book.steps if step.step in shown)


def runbook_rows(book: Book, width: int, height: int) -> list[Line]:
    """Where the walk stands, the list, and the picked step in full."""
    rows, _ = _listed(book, width, height)
    picked = next((step for step in book.steps if step.step == book.picked), None)
    if picked is None or height < 12:
        return rows
    rows.extend([EMPTY] * (height - DETAIL - len(rows)))
    return [*rows, *(cut(row, width) for row in _detail(book, picked, width))]


def _listed(book: Book, width: int, height: int) -> tuple[list[Line], set[str]]:
    """The part of the list that the picked step is in, and which steps those are."""
    head = _walk(book, width)
    room = max(1, height - len(head) - (DETAIL if height >= 12 else 0))
    rows: list[tuple[str, Line]] = []
    section = ""
    for step in book.steps:
        if step.section != section:
            section = step.section
            rows.append(("", _section(book, step, width)))
        rows.append((step.step, _step(book, step, width)))
    at = next((index for index, (name, _) in enumerate(rows) if name == book.picked), 0)
    first = max(0, min(at - room // 2, len(rows) - room))
    part = rows[first : first + room]
    below = len(rows) - first - len(part)
    if below > 0 and part:
        part[-1] = ("", lines.line((f"   {plural(below + 1, 'more line')}", "dim")))
    return [*head, *(row for _, row in part)], {name for name, _ in part if name}


def _walk(book: Book, width: int) -> list[Line]:
    walk = book.walk
    if walk is None:
        return []
    since = f"{walk.by}, {age(max(0.0, book.now - walk.at))} ago"
    keys = "Enter next   s skip   x end" if walk.step else "x closes it"
    head = lines.line((" WALK ", "block_warn"), (f" {walk.words} ", "strong"), (since, "label"))
    return [both(head, lines.line((keys, "key"), " "), width)]


def _section(book: Book, step: ActionSpec, width: int) -> Line:
    head = lines.line((f"{step.section} {step.section_title} ", "title"), (f"Space {step.section_key} ", "key"))
    finding = book.suggested.get(step.section)
    if finding is None:
        return cut((*head, ("─" * max(0, width - width_of(head)), "border")), width)
    mark = SEVERITY[finding.severity]
    return cut(
        (*head, ("◆ suggested by ", "accent"), (f"{mark.glyph} {mark.word} ", mark.ink), (finding.summary, "value")),
        width,
    )


def _step(book: Book, step: ActionSpec, width: int) -> Line:
    is_picked = step.step == book.picked
    title = max(8, min(WIDEST_TITLE, width - (2 + KEYS + CLASS + STATE)))
    left = lines.line(
        ("▶ " if is_picked else "  ", "accent"),
        lines.field(f"{step.section_key} {step.key}", KEYS, "key"),
        lines.field(cut_text(step.title, title - 1), title, "value"),
        lines.field(step.danger.value, CLASS, DANGER[step.danger]),
    )
    right = _last(book, step) if width >= WIDE else ()
    room = width - width_of(left) - (LAST + 1 if width >= WIDE else 0)
    row = (*left, *lines.pad(cut(_state(book, step), room), room))
    if width >= WIDE:
        row = (*row, (" ", "text"), *lines.pad(right, LAST))
    return tuple((text, "picked") for text, _ in cut(row, width)) if is_picked else cut(row, width)


def _state(book: Book, step: ActionSpec) -> Line:
    """In a walk what became of it, else what its checks say."""
    walk = book.walk
    here: Line = ()
    if walk is not None and walk.section == step.section and step.step in walk.steps:
        at = walk.steps.index(step.step)
        if at < len(walk.passed):
            mark = _PASSED[walk.passed[at]]
            return lines.line((f"{mark.glyph} {mark.word}", mark.ink))
        here = (("next › ", "accent"),) if at == len(walk.passed) else ()
    said = book.standings.get(step.step, Standing())
    more = f" (+{len(said.also)})" if said.also else ""
    why = f"  {said.why}" if said.why else ""
    return (*here, (f"{said.mark.glyph} {said.mark.word}{more}", said.mark.ink), (why, "label"))


def runs(book: Book, step: ActionSpec) -> list[Job]:
    """The jobs of a step, newest first."""
    return [job for job in book.jobs or () if job.action == step.id]


def _last(book: Book, step: ActionSpec) -> Line:
    found = runs(book, step)
    if not found:
        return lines.line(("not read yet" if book.jobs is None else "never taken", "dim"))
    mark = phase_mark(found[0])
    return lines.line((f"{mark.glyph} ", mark.ink), (f"{mark.word} {when(found[0].submitted_at, book.now)}", "label"))


def _detail(book: Book, step: ActionSpec, width: int) -> list[Line]:
    """What it does, why it cannot be done, when it was done last and how long that takes."""
    danger = lines.line((step.danger.value, DANGER[step.danger]))
    keys = lines.line((f"{step.keys} ", "key"), *danger)
    told = wrapped(step.summary, width - 2)[:2]
    rows = [ruled(step.title, width, keys), *(lines.line((f" {part}", "value")) for part in told)]
    said = book.standings.get(step.step, Standing())
    why = said.why or ("its checks are being made" if said.mark is LOOKING else "no check stands against it")
    head = f" {said.mark.glyph} {said.mark.word}  "
    room, most = max(10, width - len(head) - 1), DETAIL - 1 - len(rows)
    # All that stands against it, with what each asks for: whoever makes only the first come true is refused again.
    parts = wrapped("; ".join((why, *said.also)), room)
    shown = [*parts[: most - 1], cut_text(" ".join(parts[most - 1 :]), room)]
    for at, part in enumerate(shown):
        rows.append(lines.line((head if at == 0 else " " * len(head), said.mark.ink), (part, "text")))
    rows.extend([EMPTY] * (DETAIL - 1 - len(rows)))
    return [*rows, _history(book, step, width)]


def _history(book: Book, step: ActionSpec, width: int) -> Line:
    found, now = runs(book, step), book.now
    if not found:
        words = "the jobs are being read …" if book.jobs is None else "never taken here"
        return lines.line((f" {words}", "label"))
    last, mark = found[0], phase_mark(found[0])
    took = f" after {age(last.ended_at - last.submitted_at)}" if last.ended_at is not None else ""
    left = lines.line(
        (f" {mark.glyph} {mark.word}{took}", mark.ink), (f"  {when(last.submitted_at, now)} UTC by {last.by}", "label")
    )
    done = [job.ended_at - job.submitted_at for job in found if job.phase is Phase.DONE and job.ended_at is not None]
    usually = f"usually {age(median(done))} ({plural(len(done), 'run')}) " if done else ""
    return both(left, lines.line((usually, "label")), width)
