"""One thing that is wrong, with its evidence and the runbook section that answers it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cockpit.model.severity import Severity


class Since(StrEnum):
    """What the beginning of a finding is known to be."""

    EXACT = "exact"
    """Seen to begin then, or the platform itself says so."""
    OR_EARLIER = "or earlier"
    """It was there when somebody first looked."""
    WITH_A_GAP = "with a gap"
    """It was there then and is now; for some minutes in between nobody watched."""

    def marked(self, lasted: str) -> str:
        """How long it has been so, with a sign where that is not exact.

        >>> Since.EXACT.marked("3 s"), Since.OR_EARLIER.marked("3 s"), Since.WITH_A_GAP.marked("20 m")
        ('3 s', '3 s+', '~20 m')
        """
        if self is Since.WITH_A_GAP:
            return f"~{lasted}"
        return f"{lasted}+" if self is Since.OR_EARLIER else lasted


@dataclass(frozen=True, slots=True)
class Seen:
    """What a cockpit knew of a finding when it saw it last."""

    since: float
    """Unix seconds."""
    since_is: Since
    seen_at: float
    """Unix seconds."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule's verdict on one subject."""

    rule: str
    """Stable identifier: redis_memory, venue_down."""
    subject: str
    """What it is about: IBKR, yahoo, redis."""
    severity: Severity
    panel: str
    """The panel that shows it: brokers, flow, feeds, redis, risk, postgres, kubernetes, alerts."""
    summary: str
    """One line, at most 60 cells: `yahoo p95 341 ms > 100 ms`."""
    observed: str
    threshold: str
    since: float
    """Unix seconds."""
    section: str | None = None
    """The runbook section that answers it: 3.1 to 3.5."""
    section_title: str | None = None
    keys: str | None = None
    """The keys that lead there: `Space b`; only where they exist."""
    release: str | None = None
    """Of a halt, the keys of the step that releases it, which may stand in another section: `Space b u`."""
    is_expected: bool = False
    """A known event (a broker's nightly reset): shown, not alarmed about."""
    since_is: Since = Since.EXACT
    by_hand: str = ""
    """What a person does where no step of the runbook ends it."""
    follows: tuple[str, str] | None = None
    """The key of the finding that tells of the same trouble: this one stands under it, and is no trouble more."""

    @property
    def pressed(self) -> str | None:
        """What to press in a few cells: the section's keys, or a halt's release where that section has none."""
        is_elsewhere = self.release is not None and not self.release.startswith(self.keys or " ")
        return self.release if is_elsewhere else self.keys

    @property
    def key(self) -> tuple[str, str]:
        """What it is known by from one look to the next."""
        return self.rule, self.subject


@dataclass(frozen=True, slots=True)
class Assessment:
    """All findings, worst first, and the worst severity."""

    severity: Severity = Severity.UNKNOWN
    findings: tuple[Finding, ...] = ()
    panels: tuple[tuple[str, Severity], ...] = ()
    """The severity of each panel."""

    @property
    def troubles(self) -> int:
        """How many there are, one that tells of another's trouble not counted."""
        return sum(one.follows is None for one in self.findings)

    def panel(self, name: str) -> Severity:
        """The severity of one panel; UNKNOWN where nothing was judged yet."""
        return dict(self.panels).get(name, Severity.UNKNOWN)
