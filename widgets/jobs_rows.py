"""The jobs as a list, newest first, and one of them in full."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from cockpit.model.job import Job
from widgets.figures import age
from widgets.job_rows import phase_mark, progress_rows
from widgets.line import EMPTY, Line, both, cut, field, line, pad, width_of, wrapped
from widgets.progress import left_words

WIDE = 110
"""From here on list and job stand side by side."""
LABEL = 10


def when(at: float, now: float) -> str:
    """A moment in UTC, with the day where it is another one.

    >>> when(1_781_984_652.0, 1_781_985_000.0), when(1_781_984_652.0, 1_782_985_000.0)
    ('19:44:12', '06-20 19:44')
    """
    moment, today = datetime.fromtimestamp(at, UTC), datetime.fromtimestamp(now, UTC)
    return f"{moment:%H:%M:%S}" if moment.date() == today.date() else f"{moment:%m-%d %H:%M}"


def list_rows(jobs: Sequence[Job] | None, picked: str | None, now: float, width: int, height: int) -> list[Line]:
    """A head, and one line a job; the picked one is always among them. None is not read yet."""
    if jobs is None:
        return [ruled("Jobs", width), line((" being read …", "label"))]
    if not jobs:
        return [ruled("Jobs", width), line((" no job yet: Space chooses a step", "label"))]
    at = next((index for index, job in enumerate(jobs) if job.id == picked), 0)
    room = max(1, height - 1)
    first = max(0, min(at - room // 2, len(jobs) - room))
    shown = jobs[first : first + room]
    below = len(jobs) - first - len(shown)
    hidden = "   ".join(words for count, words in ((first, f"↑ {first}"), (below, f"↓ {below} more")) if count)
    moment = 1 + max((len(when(job.submitted_at, now)) for job in shown), default=0)
    rows = [_row(job, now, width, moment, index == at) for index, job in enumerate(shown, first)]
    return [ruled("Jobs", width, line((hidden, "label")) if hidden else ()), *rows]


def _row(job: Job, now: float, width: int, moment: int, is_picked: bool) -> Line:
    mark = phase_mark(job)
    took = age((job.ended_at or now) - job.submitted_at)
    left = line(
        " ", (f"{mark.glyph} ", mark.ink), field(when(job.submitted_at, now), moment, "label"), (job.title, "value")
    )
    row = both(left, line((f"{mark.word} ", mark.ink), (f"{took} ", "label")), width)
    return tuple((text, "picked") for text, _ in row) if is_picked else row


def detail_rows(job: Job, now: float, width: int) -> list[Line]:
    """Who, when, what of it and how it ended."""
    mark = phase_mark(job)
    took = age((job.ended_at or now) - job.submitted_at)
    left = "" if job.phase.is_over else left_words(job, now)
    state = line((f"{mark.glyph} {mark.word} ", mark.ink), (took, "value"), (f"  {left}" if left else "", "label"))
    rows = [both(line((job.title, "title")), state, width)]
    facts = [
        ("Target", f"{job.target} ({job.world.value})"),
        ("By", f"{job.by}, {when(job.submitted_at, now)} UTC"),
        ("Reason", job.reason or ""),
        ("Stop", f"asked for by {job.cancelled_by}" if job.cancelled_by and not job.phase.is_over else ""),
        ("Job", job.id),
    ]
    for label, text in facts:
        for index, part in enumerate(wrapped(text, width - LABEL)):
            rows.append(line(field(label if index == 0 else "", LABEL, "label"), (part, "text")))
    return [*rows, EMPTY, *progress_rows(job, width)]


def ruled(title: str, width: int, right: Line = ()) -> Line:
    """A rule with a name, and what is said at its right.

    >>> from widgets.line import plain
    >>> plain(ruled("Jobs", 12))
    '─ Jobs ─────'
    """
    head = line(("─ ", "border"), (f"{title} ", "title"))
    tail = (*((" ", "text"), *right, (" ─", "border")),) if right else ()
    gap = width - width_of(head) - width_of(tail)
    return cut((*head, ("─" * max(0, gap), "border"), *tail), width)


def beside(left: Sequence[Line], right: Sequence[Line], left_width: int, width: int, height: int) -> list[Line]:
    """Two columns with a line between them."""
    rows: list[Line] = []
    for index in range(height):
        one = left[index] if index < len(left) else EMPTY
        other = right[index] if index < len(right) else EMPTY
        rows.append((*pad(one, left_width), (" │ ", "border"), *pad(other, max(0, width - left_width - 3))))
    return rows
