"""The incident log as a cockpit uses it: every function returns at once, the keeper's thread does the work."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cockpit.alerting.names import names_in
from cockpit.clock import Clock
from cockpit.config import Settings
from cockpit.errors import CockpitError, JournalError, Rejected
from cockpit.incidents.closing import Lack, close, lacks
from cockpit.incidents.commit import commit
from cockpit.incidents.exporting import written
from cockpit.incidents.keeper import Keeper
from cockpit.incidents.opening import beginning, opening, proposed
from cockpit.incidents.promise import promise
from cockpit.model.incident import Event, Incident
from cockpit.model.sample import Sample
from cockpit.model.severity import Severity
from cockpit.model.snapshot import Snapshot
from cockpit.storage.drafts import Draft, Drafts
from cockpit.storage.incident_file import Stamp
from cockpit.storage.incident_file import stamp as stamp_of
from cockpit.storage.incidents import Incidents, Saved
from cockpit.storage.recent import EXPORTS

Audit = Callable[[str, str], object]


@dataclass(frozen=True, slots=True)
class Looked:
    """An incident whose file has changed since it was last looked at."""

    incident: Incident
    body: str
    stamp: Stamp | None


@dataclass(frozen=True, slots=True)
class Loaded:
    """An incident to be edited."""

    incident: Incident
    base: str
    """The body in the file."""
    mine: str
    """What to go on with: the same, or what could not be saved the last time."""


class IncidentLog:
    """One operator's incident log on one site."""

    def __init__(self, settings: Settings, clock: Clock, by: str, drafts: Path, audit: Audit) -> None:
        self._settings = settings
        self._clock = clock
        self._by = by
        self._audit = audit
        self._incidents = Incidents(settings.incidents_folder, by, clock)
        self._drafts = Drafts(drafts)
        self._exports = drafts.parent / EXPORTS
        self._keeper = Keeper(self._incidents, self._drafts, clock)
        self.start = self._keeper.start
        self.stop = self._keeper.stop
        self.hear = self._keeper.hear
        self.open_now: Callable[[], Sample[tuple[Incident, ...]]] = self._keeper.open_now
        self.note = self._keeper.note

    @property
    def error(self) -> str:
        """Why the last try to write failed; empty after one that worked."""
        return self._keeper.error

    def record(self, event: Event) -> None:
        """Have an event written into the open incident; what cannot be written now is tried again."""
        self._keeper.record(event)

    def all(self) -> Future[tuple[Incident, ...]]:
        """All incidents, the newest first, without their timelines."""
        return self._keeper.tell(self._incidents.all)

    def proposal(self, snapshot: Snapshot) -> tuple[str, Severity, str]:
        """Title, severity and section for what is wrong just now."""
        return proposed(snapshot.assessment)

    def open(
        self, title: str, severity: Severity, section: str, snapshot: Snapshot, reason: str = ""
    ) -> Future[Incident]:
        """Open one; its clock runs from when what is wrong just now began."""
        began = beginning(snapshot.assessment, section)

        def work() -> Incident:
            made = self._incidents.open(opening(self._settings, title, severity, section, reason, began))
            self._told(made, f"opened as {severity.label}", "incident_opened")
            return made

        return self._keeper.tell(work)

    def load(self, name: str) -> Future[Loaded]:
        """The incident with its body; what could not be saved the last time is merged in."""

        def work() -> Loaded:
            body = self._incidents.body(name)
            kept = self._drafts.body(name) or Draft(name, body, body, self._clock.now())
            try:
                # Also where nothing was kept: a save that a crash cut short is completed by the next one.
                body = self._incidents.save_body(name, kept.base, kept.mine).body
            except JournalError:
                return Loaded(self._incidents.find(name), kept.base, kept.mine)
            self._drafts.forget_body(name)
            return Loaded(self._incidents.find(name), body, body)

        return self._keeper.tell(work)

    def look(self, name: str, base: str, stamp: Stamp | None) -> Future[Looked | None]:
        """What has become of it since it was in the state `stamp`, with the body `base`; None where nothing has."""

        def work() -> Looked | None:
            if stamp is not None and stamp_of(self._incidents.file(name)) == stamp:
                return None
            # Saved, not only read: an editor that overwrote what came after its own look is found out by that.
            body = self._incidents.save_body(name, base, base).body
            return Looked(self._incidents.find(name), body, stamp_of(self._incidents.file(name)))

        return self._keeper.tell(work)

    def save(self, name: str, base: str, mine: str) -> Future[Saved]:
        """Save a body; where that fails it is kept in the state folder, and the future holds why."""

        def work() -> Saved:
            unsaved = self._drafts.body(name)
            # Typed on top of a save that failed meanwhile: what that one held is not in the file.
            start = unsaved.base if unsaved is not None and unsaved.mine == base else base
            try:
                saved = self._incidents.save_body(name, start, mine)
            except JournalError as error:
                if mine != base:
                    kept = self._drafts.keep_body(Draft(name, start, mine, self._clock.now()))
                    raise JournalError(f"{error}; kept in {kept}") from error
                raise
            self._drafts.forget_body(name)
            return saved

        return self._keeper.tell(work)

    def search(self, words: str) -> Future[frozenset[str]]:
        """The incidents in which all these words stand."""

        def work() -> frozenset[str]:
            wanted = words.casefold().split()
            names = [incident.id for incident in self._incidents.all()]
            texts = ((name, f"{name}\n{self._incidents.text(name)}".casefold()) for name in names)
            return frozenset(name for name, text in texts if all(word in text for word in wanted))

        return self._keeper.tell(work)

    def set_severity(self, name: str, severity: Severity, why: str) -> Future[Incident]:
        """Raise or lower it."""

        def work() -> Incident:
            if not why.strip():
                raise Rejected("a change of severity needs a reason")
            found = self._incidents.set_severity(name, severity, why)
            self._told(found, f"{severity.label}: {why}", "incident_severity")
            return found

        return self._keeper.tell(work)

    def set_roles(self, name: str, roles: Mapping[str, str]) -> Future[Incident]:
        """Give out roles."""
        return self._keeper.tell(lambda: self._incidents.set_roles(name, roles))

    def promise(self, name: str, minutes: float) -> Future[Incident]:
        """Promise the next update."""
        return self._keeper.tell(lambda: promise(self._incidents, name, self._by, self._clock, minutes))

    def lacks(self, name: str) -> Future[tuple[Lack, ...]]:
        """What is missing before it may be closed."""
        return self._keeper.tell(lambda: lacks(self._incidents.find(name), self._incidents.text(name)))

    def close(self, name: str, values: Mapping[str, Any], waived: str = "") -> Future[Incident]:
        """Close it."""

        def work() -> Incident:
            found = close(self._incidents, name, self._by, self._clock, values, waived)
            self._told(found, f"closed: {found.cause or waived}", "incident_closed")
            return found

        return self._keeper.tell(work)

    def export(self, name: str, held: Sequence[str]) -> Future[Path]:
        """Report, summary and timeline, each in a file of its own; the folder. The summary names nothing of `held`."""
        secrets = (*names_in(self._settings), *held)

        def work() -> Path:
            folder = written(self._incidents, name, self._exports, self._clock.now(), secrets)
            self._audit("incident_exported", f"{name}: three files in {folder}")
            return folder

        return self._keeper.tell(work)

    def _told(self, incident: Incident, words: str, kind: str) -> None:
        """Into the audit, and into git where that is asked for; a failure of git is reported and stops nothing."""
        self._audit(kind, f"{incident.id}: {words}")
        if self._settings.incidents.git:
            failed = commit(self._incidents.file(incident.id), f"{incident.id}: {words}", self._by)
            if failed:
                self._audit("incident_not_committed", f"{incident.id}: {failed}")
                try:
                    self._incidents.record(Event(self._clock.now(), "git", failed), incident.id)
                except CockpitError as error:
                    self._keeper.error = str(error)
