"""What the screens need of the session: nothing else of it is known here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from cockpit.model.action import ActionSpec
from cockpit.model.approval import Consent, Look, Request, Second
from cockpit.model.audit import AuditRecord, Operator, Recent, Soundness
from cockpit.model.choice import Choice
from cockpit.model.drill import Board, Drill
from cockpit.model.job import Job
from cockpit.model.page import Page
from cockpit.model.plan import Confirmation, Plan
from cockpit.model.rehearsal import Rehearsal
from cockpit.model.snapshot import Snapshot
from cockpit.model.walk import Walk

if TYPE_CHECKING:
    from cockpit.config import Settings
    from cockpit.incidents.closing import Lack
    from cockpit.incidents.log import Loaded, Looked
    from cockpit.model.incident import Incident
    from cockpit.model.severity import Severity
    from cockpit.storage.incident_file import Stamp
    from cockpit.storage.incidents import Saved


class ShelfPort(Protocol):
    """What is kept beside the jobs."""

    def page(self, job_id: str, offset: int) -> Future[Page]:
        """What a job printed from there on."""

    def page_before(self, job_id: str, end: int | None = None) -> Future[Page]:
        """What it printed before that; the last of all where no place is named."""

    def find(self, job_id: str, needle: str, offset: int, is_forward: bool) -> Future[int | None]:
        """Where the line begins in which the text stands next."""

    def walk(self) -> Future[Walk | None]:
        """The walk that was left."""

    def keep(self, walk: Walk | None) -> Future[None]:
        """Write it down; None forgets it."""

    def audit(self, known: Recent) -> Future[Recent]:
        """The newest part of the audit journal; what is known already, where nothing has been written since."""

    def verify(self, now: float) -> Future[Soundness]:
        """Walk the whole chain of the audit journal."""

    def export(self, records: Sequence[AuditRecord], now: float) -> Future[Path]:
        """Write these records into a file of their own."""


class IncidentsPort(Protocol):
    """The incident log."""

    def all(self) -> Future[tuple[Incident, ...]]:
        """All incidents, the newest first."""

    def search(self, words: str) -> Future[frozenset[str]]:
        """Those in which all the words stand."""

    def proposal(self, snapshot: Snapshot) -> tuple[str, Severity, str]:
        """Title, severity and section for what is wrong just now."""

    def open(self, title: str, severity: Severity, section: str, snapshot: Snapshot) -> Future[Incident]:
        """A new one."""

    def load(self, name: str) -> Future[Loaded]:
        """One to be edited."""

    def look(self, name: str, base: str, stamp: Stamp | None) -> Future[Looked | None]:
        """What has become of it."""

    def save(self, name: str, base: str, mine: str) -> Future[Saved]:
        """Save its text."""

    def note(self, text: str) -> Future[str]:
        """A line into the timeline of the open one."""

    def set_severity(self, name: str, severity: Severity, why: str) -> Future[Incident]:
        """Raise or lower it."""

    def set_roles(self, name: str, roles: Mapping[str, str]) -> Future[Incident]:
        """Give out roles."""

    def promise(self, name: str, minutes: float) -> Future[Incident]:
        """Promise the next update."""

    def lacks(self, name: str) -> Future[tuple[Lack, ...]]:
        """What is missing before it may be closed."""

    def close(self, name: str, values: Mapping[str, Any], waived: str = "") -> Future[Incident]:
        """Close it."""

    def export(self, name: str, held: Sequence[str]) -> Future[Path]:
        """Report, summary and timeline, each in a file of its own; the folder. The summary names nothing of `held`."""


class ReadinessPort(Protocol):
    """Rehearsals of the runbook; none of them changes anything."""

    def last(self) -> Future[Rehearsal | None]:
        """The one that is kept."""

    def run(self, snapshot: Snapshot, tell: Callable[[str], None]) -> Future[Rehearsal]:
        """A new one; `tell` is called from other threads."""


class DrillsPort(Protocol):
    """Drills, played on a sandbox and nowhere else."""

    def board(self) -> Future[Board]:
        """Schedule, the running one, and the ended ones."""

    def start(self, name: str, tell: Callable[[str], None]) -> Future[Drill]:
        """Begin one; `tell` is called from other threads."""

    def stop(self) -> Future[Drill]:
        """End the running one."""

    def report(self, drill_id: str) -> Future[str]:
        """The report of one that has ended."""

    def said(self, drill: Drill, now: float) -> tuple[str, ...]:
        """What the coach says now."""

    def where(self) -> str:
        """Where one that is begun here is played."""


class SecondsPort(Protocol):
    """The second person: asking for one, and being one; every answer is a future."""

    def ask(self, plan: Plan, reason: str, overrides: Sequence[str] = ()) -> Future[Request]:
        """Ask for a second person."""

    def standing(self, request_id: str) -> Future[Second]:
        """How the request stands."""

    def withdraw(self, request_id: str) -> Future[None]:
        """Ask no more."""

    def look(self, request: Request) -> Future[Look]:
        """Somebody's request as our own cockpit plans it now."""

    def approve(self, request: Request, consent: Consent) -> Future[None]:
        """Say yes to somebody's request, where our own cockpit would do the same at this moment."""

    def refuse(self, request: Request, reason: str) -> Future[None]:
        """Say no to it."""


class SessionPort(Protocol):
    """The session, as the screens see it."""

    @property
    def settings(self) -> Settings:
        """The configuration."""

    @property
    def operator(self) -> Operator:
        """Who sits here."""

    @property
    def shelf(self) -> ShelfPort:
        """What is kept beside the jobs."""

    @property
    def incidents(self) -> IncidentsPort:
        """The incident log."""

    @property
    def drills(self) -> DrillsPort:
        """Drills."""

    @property
    def readiness(self) -> ReadinessPort:
        """Rehearsals."""

    @property
    def seconds(self) -> SecondsPort:
        """The second person."""

    def start(self, listener: Callable[[Snapshot], None]) -> None:
        """Begin to observe; the listener is called on the observing thread."""

    def stop(self, timeout_s: float = 1.0) -> None:
        """Observe no more."""

    def history(self, series: str) -> tuple[tuple[float, float | None], ...]:
        """All points of a series that are kept."""

    def actions(self) -> tuple[ActionSpec, ...]:
        """The steps that exist."""

    def prepare(self, name: str, parameters: dict[str, str], is_shown: bool = True) -> Future[Plan]:
        """A step's plan with its checks evaluated now; one that is not shown to anybody is not in the audit."""

    def choices(self, name: str, parameter: str, chosen: dict[str, str]) -> Future[tuple[Choice, ...]]:
        """What a step can be taken on, where its row leaves a parameter open."""

    def submit(self, plan: Plan, confirmation: Confirmation) -> Future[Job]:
        """Do what was confirmed."""

    def cancel(self, job_id: str) -> Future[Job]:
        """Ask a job to stop where that does no harm."""

    def resolve(self, job_id: str, is_done: bool, reason: str) -> Future[Job]:
        """Our word for a job in doubt."""

    def job(self, job_id: str) -> Job | None:
        """A job as its journal tells it."""
