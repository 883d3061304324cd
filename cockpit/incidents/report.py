"""Tables of a report, made of its timeline: what was wrong and for how long, who did what with which proof."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from cockpit.incidents.metrics import CLEARED, FINDING, outstanding
from cockpit.incidents.spans import clock, span
from cockpit.model.incident import Incident, TimelineEntry

JOB = "job/"
CONFIRMED = "confirmed"
HALT = f"{FINDING}kill_switch_engaged/kill_switch"
ENGAGE, RELEASE = "kill_switch.engage", "kill_switch.release"
_ASKED = re.compile(r"(?P<what>.*), confirmed by (?P<by>[^:]*?)(?:, overriding (?P<over>[^:]*))?(?:: (?P<why>.*))?")
_ENDED = re.compile(r".*? (?P<how>[A-Z][A-Z ]+?)(?: after (?P<took>[\d.]+ s))?(?:; (?P<rest>.*))?")

Period = tuple[float, float | None]
"""From when until when; None where the timeline tells of no end."""


def troubles(incident: Incident) -> list[str]:
    """A table of what was wrong; nothing where the timeline tells of nothing."""
    rows = []
    for about, (words, periods) in _by_subject(incident.timeline).items():
        if not about:
            continue
        lasted = span(sum((end or incident.closed_at or began) - began for began, end in periods))
        is_over = periods[-1][1] is not None
        times = f" ({len(periods)} times)" if len(periods) > 1 else ""
        until = clock(periods[-1][1]) if is_over else "still so"
        rows.append([words, clock(periods[0][0]), until, f"{lasted}{times}" if is_over else "not over"])
    return table("What was wrong", ("Finding", "From (UTC)", "Until", "In all"), rows)


def steps(incident: Incident) -> list[str]:
    """A table of the steps of the runbook that were taken; nothing where none was."""
    ended = {_job(entry): entry for entry in _of_jobs(incident.timeline) if not entry.key.endswith(f"/{CONFIRMED}")}
    rows = []
    for entry in _of_jobs(incident.timeline):
        found = _ASKED.fullmatch(entry.text)
        if entry.key.endswith(f"/{CONFIRMED}") and found is not None:
            end = _outcome(ended.get(_job(entry)))
            over = f"overridden: {found['over']}" if found["over"] else ""
            why = "; ".join(filter(None, (over, found["why"])))
            rows.append([clock(entry.at), found["what"], found["by"], why, *end])
    return table("Steps taken", ("At (UTC)", "Step", "Confirmed by", "Why", "Outcome", "Took", "Proof"), rows)


def halts(incident: Incident) -> tuple[Period, ...]:
    """When trading was halted while it lasted, as far as the timeline tells: by what was seen, and by the steps."""
    found = _by_subject(incident.timeline).get(HALT)
    seen = list(found[1]) if found else []
    ends = sorted([*(until for _, until in seen if until is not None), *_proven(incident, RELEASE)])
    seen += [(began, next((end for end in ends if end > began), None)) for began in _proven(incident, ENGAGE)]
    merged: list[Period] = []
    for began, until in sorted(seen, key=lambda period: period[0]):
        before = merged[-1] if merged else None
        if before is None or (before[1] is not None and began > before[1]):
            merged.append((began, until))
        elif before[1] is not None:
            merged[-1] = (before[0], None if until is None else max(until, before[1]))
    return tuple(each for each in merged if each[1] is None or each[1] > incident.from_at)


def halted(incident: Incident, now: float) -> str:
    """For how long trading was halted by the kill switch, in words."""
    found = halts(incident)
    if not found:
        is_touched = any(
            f"-{step}-" in entry.key for entry in _of_jobs(incident.timeline) for step in (ENGAGE, RELEASE)
        )
        return "not known" if is_touched else "nothing in the timeline"
    if found[-1][1] is None and HALT not in outstanding(incident.timeline):
        return f"from {clock(found[0][0])} UTC, until when is not known"
    end = incident.closed_at or now
    whole = span(sum((until if until is not None else end) - began for began, until in found))
    last = f" until {clock(found[-1][1])} UTC" if found[-1][1] is not None else " UTC, and still is"
    return f"{whole}, from {clock(found[0][0])}{last}" + (f", {len(found)} times" if len(found) > 1 else "")


def _proven(incident: Incident, step: str) -> list[float]:
    """When those of its steps that were proven had been confirmed: the kill switch is written at once."""
    done = {
        _job(entry) for entry in _of_jobs(incident.timeline) if entry.key.endswith("/done") and f"-{step}-" in entry.key
    }
    return [
        entry.at for entry in _of_jobs(incident.timeline) if entry.key.endswith(f"/{CONFIRMED}") and _job(entry) in done
    ]


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Markdown below a heading; nothing where there are no rows."""
    if not rows:
        return []
    written = (f"| {' | '.join(cell(each) for each in row)} |" for row in rows)
    return [f"## {title}", "", f"| {' | '.join(head)} |", "|" + "---|" * len(head), *written, ""]


def cell(text: str) -> str:
    """Text as it may stand in a table."""
    return text.replace("|", "\\|").strip()


def _by_subject(timeline: Sequence[TimelineEntry]) -> dict[str, tuple[str, list[Period]]]:
    """What it was about -> its words, and when it stood."""
    found: dict[str, tuple[str, list[Period]]] = {}
    for entry in sorted(timeline, key=lambda entry: entry.at):
        about = entry.key.rpartition("/")[0] if entry.key.startswith(FINDING) else ""
        is_end = entry.key.endswith(f"/{CLEARED}")
        if about in found:
            periods = found[about][1]
            is_standing = periods[-1][1] is None
            if is_end and is_standing:
                periods[-1] = (periods[-1][0], entry.at)
            elif not is_end and not is_standing:
                periods.append((entry.at, None))
        elif about and not is_end:
            found[about] = (entry.text.partition(" › ")[0], [(entry.at, None)])
    return found


def _of_jobs(timeline: Sequence[TimelineEntry]) -> Iterator[TimelineEntry]:
    return (entry for entry in sorted(timeline, key=lambda entry: entry.at) if entry.key.startswith(JOB))


def _job(entry: TimelineEntry) -> str:
    return entry.key.rpartition("/")[0]


def _outcome(entry: TimelineEntry | None) -> tuple[str, str, str]:
    """How it ended, how long it took, what proves it."""
    found = _ENDED.fullmatch(entry.text) if entry is not None else None
    if found is None:
        return (entry.text if entry is not None else "not over", "", "")
    return found["how"].lower(), found["took"] or "", (found["rest"] or "").removeprefix("proven: ")
