"""Findings: what is wrong, worst first, each with the runbook section that answers it; then what was done."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cockpit.model.severity import Severity
from themes.glyphs import SEVERITY, Mark
from widgets.figures import age, short_age
from widgets.line import Line, both, field, line, width_of, wrapped
from widgets.view import View

if TYPE_CHECKING:
    from cockpit.model.finding import Finding
    from cockpit.model.job import Job

SHORT = 14
WIDE = 60
"""From here on a job's moment has its seconds; with less its title needs the room."""


def clock(at: float) -> str:
    """Unix seconds as HH:MM:SS of UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S")


def lines(view: View, width: int, height: int) -> list[Line]:
    """Two lines a finding while there is room, one where there is not; jobs below."""
    findings = view.snapshot.assessment.findings
    jobs = view.snapshot.jobs
    if not findings:
        rows = [_calm(view)]
    else:
        for_jobs = min(len(jobs), 2) if height > 6 else 0
        rows = _listed(view, findings, width, height - for_jobs)
    room = height - len(rows)
    if jobs and room >= 1:
        rows.extend(((),) if room > len(jobs) + 1 else ())
        rows.extend(job_line(job, view.now, width) for job in jobs[: height - len(rows)])
    return rows[:height]


def _calm(view: View) -> Line:
    if view.snapshot.assessment.severity is Severity.OK:
        return line(("● nothing is wrong", "ok"))
    return line(("? not all is known: see the panels", "unknown"))


def _listed(view: View, findings: tuple[Finding, ...], width: int, height: int) -> list[Line]:
    """In full while everything fits, else one line each."""
    full = [row for finding in findings for row in told(finding, view.now, width)]
    if len(full) <= height:
        return full
    rows: list[Line] = []
    for at, finding in enumerate(findings):
        left, room = len(findings) - at, height - len(rows)
        if room <= 0:
            break
        if room == 1 and left > 1:
            rows.append(line((f"and {left} more findings", "dim")))
            break
        whole = told(finding, view.now, width)
        # The worst ones are told in full only if every other one still gets a line.
        rows.extend(whole if room - len(whole) >= left - 1 else [headline(finding, view.now, width)])
    return rows


def told(finding: Finding, now: float, width: int) -> list[Line]:
    """The whole summary, then what answers it and how long it has been so."""
    glyph, word, ink = mark_of(finding)
    mark = f"{glyph} {word} "
    first, *more = wrapped(finding.summary, width - len(mark)) or ("",)
    note = "expected, " if finding.is_expected else ""
    since = line((note, "label"), (lasted(finding, now), "label"))
    rows = [line((mark, ink), (first, "value")), *(line(" " * len(mark), (each, "value")) for each in more)]
    answer = advice(finding) if finding.follows is None else ()
    if not answer and width_of(rows[-1]) + width_of(since) < width:
        rows[-1] = both(rows[-1], since, width)
    else:
        rows.append(both(line("  ", *answer), since, width))
    return [*rows, *(line("  ", (each, "text")) for each in wrapped(finding.by_hand, width - 2))]


def headline(finding: Finding, now: float, width: int, *, is_answered: bool = False) -> Line:
    """Severity, summary, the keys that answer it where the width has room for them and the answer does not stand beside
    it, and how long it has been so."""
    glyph, word, ink = mark_of(finding)
    left = line((f"{glyph} {word} ", ink), (finding.summary, "value"))
    note = "expected " if finding.is_expected else ""
    right = line((note, "label"), (lasted(finding, now), "label"))
    keys = () if is_answered else line(*_keys(finding), " ")
    has_room = width_of(left) + 1 + width_of(keys) + width_of(right) <= width
    return both(left, (*keys, *right) if has_room else right, width)


def mark_of(finding: Finding) -> Mark:
    """Its class; a branch where it tells of the trouble above it."""
    mark = SEVERITY[finding.severity]
    return mark if finding.follows is None else mark._replace(glyph="└")


def lasted(finding: Finding, now: float) -> str:
    """How long it has been so, with a sign where that is not exact."""
    return finding.since_is.marked(short_age(now - finding.since))


def advice(finding: Finding) -> Line:
    """The runbook section that answers it, and the keys where they exist."""
    if not finding.section:
        return ()
    keys = _keys(finding) or line(("› ", "accent"))
    return line(*keys, (f"{finding.section} {finding.section_title or ''}".rstrip(), "label"))


def _keys(finding: Finding) -> Line:
    """What to press; of a halt its release, which its section may not have."""
    if finding.release:
        return line(("› ", "accent"), (finding.release, "key"), (" releases ", "label"))
    return line(("› ", "accent"), (finding.keys, "key"), (" ", "text")) if finding.keys else ()


def short_advice(finding: Finding) -> Line:
    """The same in few cells, always as many, so that a list of them stands in columns."""
    if not finding.section:
        return line(field("› by hand" if finding.by_hand else "", SHORT, "label"))
    if finding.release:
        return line(("› ", "accent"), field(finding.release, SHORT - 2, "key"))
    keys = f"{finding.keys} " if finding.keys else ""
    section = finding.section if len(keys) + len(finding.section) <= SHORT - 2 else ""
    return line(("› ", "accent"), (keys, "key"), field(section, SHORT - 2 - len(keys), "label"))


def job_line(job: Job, now: float, width: int) -> Line:
    """When, what, and how it ended."""
    # Imported only here: the first frame has no job.
    from widgets.job_rows import phase_mark

    glyph, word, ink = phase_mark(job)
    took = (job.ended_at or now) - job.submitted_at
    moment = clock(job.submitted_at)[: 8 if width >= WIDE else 5]
    left = line((f"{glyph} ", ink), (f"{moment} ", "label"), (job.title, "text"))
    return both(left, line((word, ink), (f" {age(took)}", "label")), width)


def summary(view: View, width: int) -> Line:
    """The worst one."""
    findings = view.snapshot.assessment.findings
    return line((findings[0].summary, "value")) if findings else _calm(view)
