"""An incident as its file tells it: facts of the front matter, and the lines of its timeline."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cockpit.model.severity import Severity

ROLES = ("commander", "operator", "scribe", "communications")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that belongs into the timeline."""

    at: float
    """Unix seconds."""
    kind: str
    """opened, finding, cleared, action, outcome, note, severity, role, approval, notification, update, closed."""
    text: str
    key: str = ""
    """What it is about, the same from every cockpit that saw it; empty where nobody else could write it."""
    is_state: bool = False
    """The key ends in `/` and a word that stands until another word follows it: raised, cleared."""


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line of the timeline, by whoever wrote it."""

    at: float
    kind: str
    text: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class SeverityChange:
    """How bad it was held to be, from when on, by whom, and why."""

    at: float
    severity: Severity
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Incident:
    """One file in the folder of incidents; times are Unix seconds, None where it does not say."""

    id: str
    """The file's name without `.md`."""
    title: str
    severity: Severity
    opened_at: float
    opened_by: str = ""
    world: str = ""
    site: str = ""
    section: str = ""
    """The runbook's: 3.1 to 3.5."""
    is_drill: bool = False
    began_at: float | None = None
    """When the first finding stood, or when somebody says that it began."""
    recovered_at: float | None = None
    closed_at: float | None = None
    closed_by: str = ""
    cause: str = ""
    next_update_at: float | None = None
    rto_minutes: float | None = None
    rpo_minutes: float | None = None
    """How much of the past was lost, where it was measured."""
    rpo_rows: int | None = None
    break_glass: tuple[str, ...] = ()
    """Who acted alone where two are asked for."""
    reviewed_by: str = ""
    roles: tuple[tuple[str, str], ...] = ()
    severity_history: tuple[SeverityChange, ...] = ()
    timeline: tuple[TimelineEntry, ...] = ()
    summary: str = ""
    """What people wrote below `## Summary`, as one line."""
    problem: str = ""
    """Why its front matter cannot be read; the facts above are then those of its name."""

    @property
    def is_open(self) -> bool:
        """Whether nobody has closed it."""
        return self.closed_at is None

    @property
    def from_at(self) -> float:
        """When the clock began to run: with the trouble, not with the report."""
        return self.opened_at if self.began_at is None else min(self.began_at, self.opened_at)

    def role(self, name: str) -> str:
        """Who has this role; empty where nobody does."""
        return dict(self.roles).get(name, "")

    @property
    def brief(self) -> Incident:
        """The same without its timeline: for what is carried around every second."""
        return replace(self, timeline=())
