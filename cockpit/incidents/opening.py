"""What is written when an incident is opened: from what an operator says, or from what is wrong just now."""

from __future__ import annotations

from collections.abc import Iterable

from cockpit.config import Settings
from cockpit.incidents.templates import body
from cockpit.model.finding import Assessment, Finding
from cockpit.model.severity import Severity
from cockpit.model.world import World
from cockpit.severity.sections import TITLES
from cockpit.severity.slow_redis import NOTE
from cockpit.severity.standing import HALTED, LAST_KNOWN, SHARED
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


def unknown_section(section: str, others: Iterable[str]) -> str:
    """Why an incident cannot be about this section of the runbook; empty where it can. `others` are a fund's own.

    >>> unknown_section("3.1", ()), unknown_section("7", ["7"]), unknown_section("", ())
    ('', '', '')
    >>> unknown_section("99", ["7"])
    'There is no section 99: it is one of 3.1, 3.2, 3.3, 3.4, 3.5, 4, 7, or empty.'
    """
    known = sorted({*TITLES, *others})
    if section in ("", *known):
        return ""
    return f"There is no section {section}: it is one of {', '.join(known)}, or empty."


def serious(assessment: Assessment) -> tuple[Finding, ...]:
    """What an incident is about: P1 and P2, and nothing that was expected."""
    return tuple(each for each in assessment.findings if each.severity <= Severity.P2 and not each.is_expected)


def proposed(assessment: Assessment) -> tuple[str, Severity, str]:
    """Title, severity and section, by what is wrong just now."""
    trouble = _trouble(serious(assessment))
    if not trouble:
        return "", Severity.P2, ""
    first = trouble[0]
    return _title(first), first.severity, first.section or ""


def beginning(assessment: Assessment, section: str = "") -> float | None:
    """When the trouble began, in Unix seconds: the clock against the RTO runs from there; None where nothing is wrong.

    It is the trouble that a proposed title names: of the section that the incident is about, or of all where nothing
    of that section is wrong.
    """
    found = serious(assessment)
    found = tuple(each for each in found if section and each.section == section) or found
    return min((each.since for each in _trouble(found)), default=None)


def _trouble(found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """What the incident begins with, and what tells of the same; the one that names it first.

    As bad as the worst, in its place, and there first. A halt is the answer to a trouble: it is one itself only where
    there is no other.
    """
    worst = [each for each in found if (each.severity, _place(each)) == (found[0].severity, _place(found[0]))]
    own = [each for each in worst if each.rule not in HALTED and each.follows is None] or worst
    if not own:
        return ()
    first = next((each for each in own if each.rule == SHARED), min(own, key=lambda each: each.since))
    same = [each for each in worst if each.follows == first.key or (first.rule == SHARED and NOTE in each.summary)]
    return (first, *(each for each in same if each is not first))


def _place(finding: Finding) -> str:
    return finding.section or finding.panel


def _title(worst: Finding) -> str:
    """What comes after the colon is detail, an address or a number, unless before it stands no more than a name.

    >>> from dataclasses import replace
    >>> down = Finding("venue_down", "IBKR", Severity.P1, "brokers", "IBKR down: 1100 lost", "", "", 0.0)
    >>> _title(down), _title(replace(down, rule="alert_firing", summary="alert firing: Latency", subject="Latency"))
    ('IBKR down', 'alert Latency')
    >>> [_title(replace(down, summary=words)) for words in ("last known: IBKR down: 1100", "router: 9 pending, old")]
    ['IBKR down', 'router: 9 pending']
    """
    if worst.rule == "alert_firing":
        return f"alert {worst.subject}"
    head, _, detail = worst.summary.removeprefix(LAST_KNOWN).partition(": ")
    is_name = head == worst.subject or " " not in head
    return f"{head}: {detail.partition(', ')[0]}" if is_name and detail else head
