"""All incidents of one site: plain Markdown files that people read and write without the cockpit as well."""

from __future__ import annotations

import itertools
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path
from typing import Any

from cockpit.clock import Clock, SystemClock
from cockpit.errors import JournalError, Rejected
from cockpit.model.incident import Event, Incident, TimelineEntry
from cockpit.model.severity import Severity
from cockpit.storage import incident_file as files
from cockpit.storage.disk import reason
from cockpit.storage.incident_front import changed, iso, joined, split, written
from cockpit.storage.incident_text import OPENED, facts, ticked, with_event
from cockpit.storage.merge import has_conflict, merge
from cockpit.text import clean

MOST_LISTED = 2000


@dataclass(frozen=True, slots=True)
class Opening:
    """What is known when an incident is opened."""

    title: str
    severity: Severity
    body: str
    """Its Markdown, from a template."""
    reason: str = "opened"
    section: str = ""
    world: str = ""
    site: str = ""
    is_drill: bool = False
    began_at: float | None = None
    rto_minutes: float | None = None
    roles: Mapping[str, str] = field(default_factory=dict)

    def with_roles(self, roles: Mapping[str, str]) -> Opening:
        """The same with these roles given out."""
        return replace(self, roles=dict(roles))

    def as_drill(self, is_drill: bool) -> Opening:
        """The same as an exercise, or as none."""
        return replace(self, is_drill=is_drill)


@dataclass(frozen=True, slots=True)
class Saved:
    """What a body is after it was saved: the text to go on with."""

    body: str
    has_conflict: bool
    was_merged: bool
    """Somebody else had changed it since."""


class Incidents:
    """The folder of incidents, in the name of one operator; every function may be called from any thread."""

    def __init__(self, folder: Path, by: str = "", clock: Clock | None = None) -> None:
        self.folder = folder
        self.by = by
        self._clock = clock or SystemClock()
        self._guard = threading.Lock()
        self._known: dict[str, tuple[files.Stamp, Incident]] = {}

    def all(self) -> tuple[Incident, ...]:
        """The newest first, without their timelines; cheap where nothing changed.

        Raises:
            JournalError: the folder cannot be read.
        """
        with self._guard:
            found = [self._brief(name) for name in self._names()]
        return tuple(sorted(filter(None, found), key=lambda each: (each.opened_at, each.id), reverse=True))

    def open_one(self) -> Incident | None:
        """The open incident, the newest where there are several; None where all are closed.

        Raises:
            JournalError: the folder cannot be read.
        """
        return next((each for each in self.all() if each.is_open), None)

    def find(self, name: str) -> Incident:
        """The incident of this name, or the only one whose name begins so or contains it, with its timeline.

        Raises:
            Rejected: there is none, or more than one.
            JournalError: it cannot be read.
        """
        names = self._names()
        found = [each for each in names if each == name] or [each for each in names if each.startswith(name)]
        found = found or [each for each in names if name and name in each]
        if len(found) != 1:
            many = f"{len(found)} incidents are" if found else "no incident is"
            raise Rejected(f"{many} called {clean(name, 80)}: `cockpit incident list`")
        return facts(found[0], self.text(found[0]))

    def text(self, name: str) -> str:
        """The whole file.

        Raises:
            JournalError: it cannot be read.
        """
        return files.read(self.file(name))

    def body(self, name: str) -> str:
        """What stands below its front matter.

        Raises:
            JournalError: it cannot be read.
        """
        return split(self.text(name))[1]

    def open(self, opening: Opening) -> Incident:
        """A new incident.

        Raises:
            JournalError: it cannot be written.
        """
        now = self._clock.now()
        values: dict[str, Any] = {
            "title": clean(opening.title, 120),
            "severity": opening.severity.label,
            "world": opening.world,
            "site": opening.site,
            "section": opening.section,
            "drill": opening.is_drill,
            "began": iso(opening.began_at) if opening.began_at is not None else None,
            "opened": iso(now),
            "opened_by": self.by,
            "closed": None,
            "rto_minutes": opening.rto_minutes,
            "roles": dict(opening.roles),
            "severity_history": [_change(self.by, now, opening.severity, opening.reason)],
        }
        words = f"{opening.severity.label} {opening.title} by {self.by}: {opening.reason}"
        text = with_event(f"---\n{written(values)}---\n{opening.body}", Event(now, "opened", words, OPENED))
        name = f"{datetime.fromtimestamp(now, UTC):%Y-%m-%d-%H%M}-{opening.severity.label}-{slug(opening.title)}"
        file = files.create(self.folder, _numbered(name), text)
        return facts(file.stem, text)

    def record(self, event: Event, name: str | None = None) -> bool:
        """Write an event into the timeline of the open incident, or of that one; False where none is open.

        Raises:
            JournalError: it cannot be written.
        """
        if name is None:
            found = self.open_one()
            if found is None:
                return False
            name = found.id
        self.record_all([event], name)
        return True

    def record_all(self, events: Sequence[Event], name: str) -> None:
        """Write events into the timeline of that incident, each once: a line that somebody deleted stays deleted.

        Raises:
            JournalError: it cannot be written.
        """
        told = files.told(self.file(name))

        def change(text: str) -> str:
            known = told.entries()
            return reduce(lambda so_far, event: _with_event(so_far, event, known), events, text)

        self._update(name, change)
        told.add(events)

    def note(self, text: str, name: str | None = None) -> bool:
        """Write what somebody says into the timeline.

        Raises:
            JournalError: it cannot be written.
        """
        return self.record(Event(self._clock.now(), "note", f"{self.by}: {text}"), name)

    def set(self, name: str, values: Mapping[str, Any], event: Event | None = None) -> Incident:
        """Set keys of the front matter, and say so in the timeline.

        Raises:
            JournalError: it cannot be written, or its front matter cannot be changed.
        """
        return self.revise(name, lambda _: values, event)

    def revise(
        self, name: str, values: Callable[[Incident], Mapping[str, Any]], event: Event | None = None
    ) -> Incident:
        """The same, with values that depend on what stands there now.

        Raises:
            JournalError: it cannot be written, or its front matter cannot be changed.
        """

        def change(text: str) -> str:
            text = changed(text, values(facts(name, text)))
            return with_event(text, event) if event is not None else text

        return facts(name, self._update(name, change))

    def set_severity(self, name: str, severity: Severity, why: str) -> Incident:
        """Hold it to be worse, or less bad, from now on; what it was held to be stays written.

        Raises:
            JournalError: it cannot be written.
        """
        now = self._clock.now()

        def values(was: Incident) -> Mapping[str, Any]:
            history = [
                {"at": iso(each.at), "severity": each.severity.label, "by": each.by, "reason": each.reason}
                for each in was.severity_history
            ]
            return {"severity": severity.label, "severity_history": [*history, _change(self.by, now, severity, why)]}

        event = Event(now, "severity", f"{severity.label} by {self.by}: {why}")
        return self.revise(name, values, event)

    def set_roles(self, name: str, roles: Mapping[str, str]) -> Incident:
        """Give out roles; the others stay.

        Raises:
            JournalError: it cannot be written.
        """
        words = ", ".join(f"{role} {who}" for role, who in roles.items())
        event = Event(self._clock.now(), "role", f"{words}, by {self.by}")
        return self.revise(name, lambda was: {"roles": {**dict(was.roles), **roles}}, event)

    def save_body(self, name: str, base: str, mine: str) -> Saved:
        """Save a body that was made from `base`; what others wrote since is kept beside it.

        Raises:
            JournalError: it cannot be written.
        """
        was_merged = False

        def change(text: str) -> str:
            nonlocal was_merged
            body = split(text)[1]
            was_merged = body != base
            return joined(text, merge(base, mine, body).text)

        body = split(self._update(name, change))[1]
        return Saved(body, has_conflict(body), was_merged)

    def _update(self, name: str, change: Callable[[str], str]) -> str:
        return files.update(self.file(name), change)

    def file(self, name: str) -> Path:
        """Where it is."""
        if not name or "/" in name or name.startswith("."):
            raise Rejected(f"there is no incident {clean(name, 80)}")
        return self.folder / f"{name}.md"

    def _names(self) -> list[str]:
        """Names begin with their time."""
        try:
            found = [entry.name[:-3] for entry in os.scandir(self.folder) if entry.name.endswith(".md")]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise JournalError(f"cannot read {self.folder}: {reason(error)}") from error
        return sorted((name for name in found if re.match(r"\d{4}-\d\d-\d\d", name)), reverse=True)[:MOST_LISTED]

    def _brief(self, name: str) -> Incident | None:
        stamp = files.stamp(self.file(name))
        if stamp is None:
            return None
        known = self._known.get(name)
        if known is None or known[0] != stamp:
            try:
                known = (stamp, facts(name, self.text(name)).brief)
            except JournalError as error:
                known = (stamp, replace(facts(name, ""), problem=str(error)))
            self._known[name] = known
        return known[1]


def _with_event(text: str, event: Event, told: tuple[TimelineEntry, ...]) -> str:
    """The event, and the tick on the list of what is to be done where it is a step that was proven."""
    found = with_event(text, event, told)
    return found if found == text else ticked(found, event)


def _change(by: str, at: float, severity: Severity, why: str) -> dict[str, str]:
    return {"at": iso(at), "severity": severity.label, "by": by, "reason": clean(why, 500)}


def slug(title: str) -> str:
    """The title in a file's name.

    >>> slug("Redis: down/again!"), slug("…")
    ('redis-down-again', 'incident')
    """
    words = re.findall(r"[a-z0-9]+", clean(title, 80).lower())
    return "-".join(words)[:48].strip("-") or "incident"


def _numbered(name: str) -> Iterator[str]:
    return itertools.chain((name,), (f"{name}-{number}" for number in itertools.count(2)))
