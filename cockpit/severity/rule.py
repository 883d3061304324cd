"""What a rule is: one small function that looks at one sample and says what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cockpit.config import Settings, Thresholds
from cockpit.model.severity import Severity
from cockpit.model.snapshot import Snapshot
from cockpit.severity.standing import NOTHING, Key, Standing


@dataclass(frozen=True, slots=True)
class View:
    """What every rule may look at besides its own sample."""

    snapshot: Snapshot
    settings: Settings
    before: Mapping[Key, Standing] = field(default_factory=lambda: NOTHING.standing)
    """What stood at the snapshot before."""

    @property
    def limits(self) -> Thresholds:
        """The configured thresholds."""
        return self.settings.thresholds

    @property
    def now(self) -> float:
        """Unix seconds of the snapshot."""
        return self.snapshot.taken_at

    def ago(self, age_s: float | None) -> float | None:
        """The moment that was so many seconds ago."""
        return None if age_s is None else self.now - age_s


@dataclass(frozen=True, slots=True)
class Hit:
    """What a rule found; the engine makes a Finding of it."""

    subject: str
    severity: Severity
    summary: str
    observed: str = ""
    threshold: str = ""
    panel: str | None = None
    """None = the rule's own."""
    section: str | None = None
    """None = the rule's own."""
    since: float | None = None
    """Where the platform itself says since when; else the moment it was first seen."""
    is_expected: bool = False
    kept: object = None
    """What the rule must find again in `View.before` for as long as this stands."""
    after_s: float = 0.0
    """It is shown only once it has been so for this long without a break."""
    by_hand: str = ""
    """What a person does where no step of the runbook ends it."""


Check = Callable[[View, Any], Iterable[Hit]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A check with what it reads and where its findings go."""

    name: str
    reads: str
    """The field of the snapshot; the check runs only while that sample is live."""
    panel: str
    section: str | None
    readings: int
    """On how many readings in a row it must be seen before it is believed; above 1 only for noisy numbers."""
    check: Check


def rule(reads: str, panel: str, section: str | None = None, readings: int = 1) -> Callable[[Check], Rule]:
    """Make a rule of a check; the rule is named after it."""

    def wrap(check: Check) -> Rule:
        return Rule(check.__name__, reads, panel, section, readings, check)

    return wrap
