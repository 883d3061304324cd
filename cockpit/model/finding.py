"""One thing that is wrong, with its evidence and the runbook section that answers it."""

from __future__ import annotations

from dataclasses import dataclass

from cockpit.model.severity import Severity


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
    is_expected: bool = False
    """A known event (a broker's nightly reset): shown, not alarmed about."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """All findings, worst first, and the worst severity."""

    severity: Severity = Severity.UNKNOWN
    findings: tuple[Finding, ...] = ()
    panels: tuple[tuple[str, Severity], ...] = ()
    """The severity of each panel."""

    def panel(self, name: str) -> Severity:
        """The severity of one panel; UNKNOWN where nothing was judged yet."""
        return dict(self.panels).get(name, Severity.UNKNOWN)
