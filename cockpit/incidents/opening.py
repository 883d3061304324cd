"""What is written when an incident is opened: from what an operator says, or from what is wrong just now."""

from __future__ import annotations

from cockpit.config import Settings
from cockpit.incidents.templates import body
from cockpit.model.finding import Assessment, Finding
from cockpit.model.severity import Severity
from cockpit.model.world import World
from cockpit.storage.incidents import Opening


def opening(
    settings: Settings, title: str, severity: Severity, section: str = "", reason: str = "", began: float | None = None
) -> Opening:
    """An incident of this site."""
    return Opening(
        title=title,
        severity=severity,
        body=body(section, title),
        reason=reason or "opened",
        section=section,
        world=settings.world.value,
        site=settings.site,
        is_drill=settings.world is World.SANDBOX,
        began_at=began,
        rto_minutes=settings.incidents.rto_minutes,
    )


def serious(assessment: Assessment) -> tuple[Finding, ...]:
    """What an incident is about: P1 and P2, and nothing that was expected."""
    return tuple(each for each in assessment.findings if each.severity <= Severity.P2 and not each.is_expected)


def proposed(assessment: Assessment) -> tuple[str, Severity, str]:
    """Title, severity and section, by what is wrong just now."""
    found = serious(assessment)
    if not found:
        return "", Severity.P2, ""
    worst = found[0]
    return _title(worst), worst.severity, worst.section or ""


def beginning(assessment: Assessment, section: str = "") -> float | None:
    """When the trouble began, in Unix seconds: the clock against the RTO runs from there; None where nothing is wrong.

    Only what is as bad as the worst, and in the same place, is that trouble: the worst of the section that the
    incident is about, or of all where nothing of that section is wrong.
    """
    found = serious(assessment)
    found = tuple(each for each in found if section and each.section == section) or found
    if not found:
        return None
    worst = (found[0].severity, _place(found[0]))
    return min(each.since for each in found if (each.severity, _place(each)) == worst)


def _place(finding: Finding) -> str:
    return finding.section or finding.panel


def _title(worst: Finding) -> str:
    """What comes after the colon is detail, an address or a number; of an alert it is what the alert is about.

    >>> from dataclasses import replace
    >>> down = Finding("venue_down", "IBKR", Severity.P1, "brokers", "IBKR down: 1100 lost", "", "", 0.0)
    >>> _title(down), _title(replace(down, rule="alert_firing", summary="alert firing: Latency", subject="Latency"))
    ('IBKR down', 'alert Latency')
    """
    if worst.rule == "alert_firing":
        return f"alert {worst.subject}"
    return worst.summary.partition(": ")[0]
