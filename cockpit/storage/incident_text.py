"""From an incident's text to its facts and back: the timeline is read from, and written into, plain Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from cockpit.model.incident import ROLES, Event, Incident, SeverityChange, TimelineEntry
from cockpit.model.severity import Severity
from cockpit.storage.incident_front import moment, read, split
from cockpit.text import clean

TIMELINE, SUMMARY = "Timeline", "Summary"
MOST_SUMMARY = 1000
OPENED, CLOSED = "incident/opened", "incident/closed"
"""Keys of the two entries that also tell whether it is open where the front matter cannot be read."""
NAME = re.compile(r"(\d{4})-(\d\d)-(\d\d)-(\d\d)(\d\d)-(P[1-4])-(.*)")
_ENTRY = re.compile(
    r"[-*] ++(\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?)Z? ++(?:\*\*)?([A-Za-z][\w -]{0,30}?)(?:\*\*)?: *+(.*)"
)
_HEADING = re.compile(r"##? ++(.*)")
_BEGIN, _END = "<!--", "-->"
_STEP_DONE = re.compile(r"job/[\d-]+-([a-z_]+\.[a-z_]+)-[0-9a-f]+/done")
_TAKES_BACK = {"kill_switch.release": "kill_switch.engage", "reroute.back": "reroute.away"}
"""These are no longer done once the other is done again."""
_UNSAFE_KEY = re.compile(r"[^A-Za-z0-9._:/@=+-]+")
LONGEST_LINE = 2000
MOST_LINES = 200
SAME_WITHIN_S = 15.0
"""Two cockpits see the same thing begin, or end, at most this far apart."""


def facts(name: str, text: str) -> Incident:
    """The incident in the file of this name; what cannot be read there is said, not guessed."""
    values, problem = read(text)
    opened, severity, title = _from_name(name)
    opened_at = moment(values.get("opened"))
    timeline = entries(text)
    return Incident(
        id=name,
        title=_words(values.get("title")) or title,
        severity=_severity(values.get("severity")) or severity,
        opened_at=opened if opened_at is None else opened_at,
        opened_by=_words(values.get("opened_by")),
        world=_words(values.get("world")),
        site=_words(values.get("site")),
        section=_words(values.get("section")),
        is_drill=values.get("drill") is True,
        began_at=moment(values.get("began")),
        recovered_at=moment(values.get("recovered")),
        closed_at=_closed(values, timeline, opened),
        closed_by=_words(values.get("closed_by")),
        cause=_words(values.get("cause"), 1000),
        next_update_at=moment(values.get("next_update")),
        rto_minutes=_number(values.get("rto_minutes")),
        rpo_minutes=_number(values.get("rpo_minutes")),
        rpo_rows=_count(values.get("rpo_rows")),
        break_glass=tuple(_words(each) for each in _listed(values.get("break_glass"))),
        reviewed_by=_words(values.get("reviewed_by")),
        roles=_roles(values.get("roles")),
        severity_history=tuple(_changes(values.get("severity_history"))),
        timeline=timeline,
        summary=" ".join(section_text(text, SUMMARY).split())[:MOST_SUMMARY],
        problem=problem,
    )


def _closed(values: dict[str, Any], timeline: tuple[TimelineEntry, ...], opened: float) -> float | None:
    """When it was closed; a report that no cockpit opened, however it is written, was never open."""
    if moment(values.get("opened")) is not None:
        return moment(values.get("closed"))
    ours = {each.key: each.at for each in timeline if each.key in (OPENED, CLOSED)}
    return ours.get(CLOSED) if OPENED in ours else opened


def entries(text: str) -> tuple[TimelineEntry, ...]:
    """The lines of the timeline that have a time, in the order in which they stand."""
    lines = text.split("\n")
    start, end = _section(lines, TIMELINE)
    found = (_entry(each) for each in lines[start:end])
    return tuple(each for each in found if each is not None)


def section_text(text: str, heading: str) -> str:
    """What people wrote below a heading; prompts, which are comments, are nothing."""
    lines = split(text)[1].split("\n")
    start, end = _section(lines, heading)
    return uncommented("\n".join(lines[start:end])).strip()


def uncommented(text: str) -> str:
    """Without comments, and the blanks before them; one without an end is none."""
    parts, at = [], 0
    while (begin := text.find(_BEGIN, at)) >= 0 and (end := text.find(_END, begin)) >= 0:
        parts.append(text[at:begin].rstrip(" \t"))
        at = end + len(_END)
    return "".join([*parts, text[at:]])


def with_event(text: str, event: Event, told: tuple[TimelineEntry, ...] = ()) -> str:
    """The text with the event at its place in the timeline; the same where it is there, or `told` says that it was."""
    if event.key and (_is_there(entries(text), event) or _is_there(told, event)):
        return text
    lines = text.split("\n")
    start, end = _section(lines, TIMELINE)
    if start == len(lines) and not _has_section(lines):
        lines = [*"\n".join(lines).rstrip("\n").split("\n"), "", f"## {TIMELINE}", "", ""]
        start = end = len(lines) - 1
    at = _place(lines, start, end, event.at)
    added = _written(event)
    if at >= len(lines) or (lines[at].strip() and not _entry(lines[at]) and not lines[at].startswith(("- ", "* "))):
        added.append("")
    if at > 0 and lines[at - 1].startswith("#"):
        added.insert(0, "")
    return "\n".join([*lines[:at], *added, *lines[at:]])


def ticked(text: str, event: Event) -> str:
    """The text with a tick on the first open point `- [ ] ... <!-- step ACTION -->` that this step answers.

    A step that another one has to take back opens that one's points again; what comes late changes nothing that
    was done after it.

    >>> done = Event(0.0, "outcome", "", "job/20260401-194412-019-snapshot.take-daa8/done")
    >>> ticked("- [ ] Kept <!-- step snapshot.take -->", done)
    '- [x] Kept <!-- step snapshot.take -->'
    >>> halted = Event(9.0, "outcome", "", "job/20260401-194412-019-kill_switch.engage-daa8/done")
    >>> ticked("- [x] Released <!-- step kill_switch.release -->", halted)
    '- [ ] Released <!-- step kill_switch.release -->'
    """
    step = _step_done(event.key)
    if not step:
        return text
    later = {_step_done(entry.key) for entry in entries(text) if entry.at > event.at}
    if _TAKES_BACK.get(step) not in later:
        text = _marked(text, step, " ", "x", count=1)
    for back, taken in _TAKES_BACK.items():
        if taken == step and back not in later:
            text = _marked(text, back, "x", " ", count=0)
    return text


def _marked(text: str, step: str, before: str, after: str, count: int) -> str:
    point = rf"^(\s*[-*] )\[{before}\](.*<!-- step {re.escape(step)} -->)"
    return re.sub(point, rf"\1[{after}]\2", text, count=count, flags=re.M)


def _step_done(key: str) -> str:
    """The step that this key says was proven; empty where it says something else."""
    found = _STEP_DONE.fullmatch(key)
    return found[1] if found is not None else ""


def _is_there(found: tuple[TimelineEntry, ...], event: Event) -> bool:
    key = safe_key(event.key)
    if not event.is_state:
        return any(each.key == key for each in found)
    about = key.rpartition("/")[0] + "/"
    same = [each for each in found if each.key.startswith(about) and "/" not in each.key[len(about) :]]
    if same and same[-1].key == key:
        return True
    return any(each.key == key and abs(each.at - event.at) <= SAME_WITHIN_S for each in same)


def _written(event: Event) -> list[str]:
    """The event as lines of a list; nothing in its text can act or break the list."""
    first, *more = [_harmless(each) for each in event.text.split("\n")[:MOST_LINES]] or [""]
    mark = f" <!-- {safe_key(event.key)} -->" if event.key else ""
    kind = re.sub(r"[^\w -]", "", event.kind)[:30] or "note"
    head = f"- {datetime.fromtimestamp(event.at, UTC):%Y-%m-%d %H:%M:%S}Z {kind}: {first}{mark}"
    return [head, *(f"  {each}".rstrip() for each in more)]


def _harmless(text: str) -> str:
    """One clean line that is no HTML, no comment and no image.

    >>> _harmless("<script>x</script> ![a](http://b) 341 ms < 400")
    '‹script>x‹/script> !‹a](http://b) 341 ms < 400'
    """
    return re.sub(r"<(?=[A-Za-z/!?])", "‹", clean(text, LONGEST_LINE)).replace("![", "!‹").rstrip()


def safe_key(key: str) -> str:
    """A key as it may stand in a comment."""
    return _UNSAFE_KEY.sub("_", key).replace("--", "-_")[:160]


def _place(lines: list[str], start: int, end: int, at: float) -> int:
    """After the last entry that is not later, with the lines that belong to it; else where the list begins."""
    place = None
    for number in range(start, end):
        entry = _entry(lines[number])
        if entry is not None and entry.at <= at:
            place = number + 1
        elif entry is not None:
            break
        elif place == number and lines[number].startswith("  "):
            place = number + 1
    if place is not None:
        return place
    first = next((number for number in range(start, end) if _entry(lines[number])), None)
    if first is not None:
        return first
    written = [number for number in range(start, end) if lines[number].strip()]
    return written[-1] + 1 if written else min(start + 1, end)


def _entry(written: str) -> TimelineEntry | None:
    found = _ENTRY.fullmatch(written)
    if found is None:
        return None
    at = moment(found[1])
    words, key = _keyed(found[3].rstrip())
    return None if at is None else TimelineEntry(at, found[2].strip().lower(), words, key)


def _keyed(words: str) -> tuple[str, str]:
    """The words, and the key in the comment at their end."""
    if words.endswith(f" {_END}"):
        before, begin, key = words.removesuffix(f" {_END}").rpartition(f"{_BEGIN} ")
        if begin and key and not any(map(str.isspace, key)):
            return before.rstrip(" "), key
    return words, ""


def headings(lines: list[str]) -> Iterator[tuple[int, str]]:
    """The headings of the first two levels; what stands in a fence is none."""
    fence = ""
    for number, each in enumerate(lines):
        if not each or each[0] not in "#`~ ":
            # Nearly all lines of a long report.
            continue
        mark = each.lstrip()[:3]
        if mark in ("```", "~~~"):
            fence = "" if fence == mark else fence or mark
        elif not fence:
            found = _HEADING.fullmatch(each)
            if found is not None:
                yield number, found[1].rstrip().rstrip("#").rstrip()


def _section(lines: list[str], heading: str) -> tuple[int, int]:
    """From the line after the heading to the line of the next; nothing at the end where there is no such heading."""
    start: int | None = None
    for number, found in headings(lines):
        if start is not None:
            return start, number
        if found.casefold() == heading.casefold():
            start = number + 1
    return (len(lines), len(lines)) if start is None else (start, len(lines))


def _has_section(lines: list[str]) -> bool:
    return any(found.casefold() == TIMELINE.casefold() for _, found in headings(lines))


def _from_name(name: str) -> tuple[float, Severity, str]:
    """When, how bad and what, by the name alone."""
    found = NAME.fullmatch(name)
    if found is None:
        return 0.0, Severity.UNKNOWN, name
    year, month, day, hour, minute, severity, slug = found.groups()
    at = moment(f"{year}-{month}-{day}T{hour}:{minute}:00Z")
    return at or 0.0, Severity[severity], slug.replace("-", " ")


def _words(value: object, limit: int = 200) -> str:
    return "" if value is None or isinstance(value, dict | list) else clean(value, limit)


def _severity(value: object) -> Severity | None:
    return Severity[value] if isinstance(value, str) and value in ("P1", "P2", "P3", "P4") else None


def _number(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if 0 <= value < 1e9 else None


def _count(value: object) -> int | None:
    number = _number(value)
    return None if number is None else int(number)


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _roles(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict):
        return ()
    named = ((str(role), _words(who, 64)) for role, who in value.items())
    known = dict(each for each in named if each[1])
    order = [*(role for role in ROLES if role in known), *(role for role in known if role not in ROLES)]
    return tuple((clean(role, 32), known[role]) for role in order)


def _changes(value: object) -> Iterator[SeverityChange]:
    for each in _listed(value):
        if isinstance(each, dict):
            at, severity = moment(each.get("at")), _severity(each.get("severity"))
            if at is not None and severity is not None:
                yield SeverityChange(at, severity, _words(each.get("by")), _words(each.get("reason"), 500))
