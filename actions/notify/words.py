"""The messages: everything for those who work on it, what an outsider needs for the others. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from cockpit.alerting.names import names_held, names_in
from cockpit.alerting.redaction import redacted
from cockpit.config import Settings
from cockpit.model.audit import Operator
from cockpit.model.finding import Finding, Since
from cockpit.model.incident import Incident
from cockpit.model.severity import Severity
from cockpit.model.snapshot import Snapshot
from cockpit.model.world import World
from cockpit.text import clean

MOST_FINDINGS = 20
MOST_JOBS = 5
JOBS_SINCE_S = 3600.0
AREAS = {
    "brokers": "the connection to our brokers",
    "flow": "the handling of orders",
    "feeds": "market data",
    "redis": "the platform's core systems",
    "risk": "risk monitoring",
    "postgres": "the database",
    "kubernetes": "the platform's services",
    "alerts": "monitoring",
}
CLASSES = {Severity.P1: "critical", Severity.P2: "high", Severity.P3: "medium", Severity.P4: "low"}
UPDATE = "We will write again when this changes."


@dataclass(frozen=True, slots=True)
class Message:
    """What one kind of audience reads."""

    subject: str
    body: str


def full(snapshot: Snapshot, settings: Settings, who: Operator, note: str) -> Message:
    """For ops and risk officer."""
    assessment = snapshot.assessment
    worst = next((one for one in assessment.findings if not one.is_expected), None)
    headline = f"{worst.severity.label}: {worst.summary}" if worst else f"{assessment.severity.label}: nothing is wrong"
    place = f"[{snapshot.world} {snapshot.site}]"
    at = f"{_clock(snapshot.taken_at)} UTC"
    lines = [f"{place} {assessment.severity.label} at {at}"]
    lines += ["", clean(note, 2000)] if note else []
    lines += ["", f"Trading: {_trading(snapshot)}", *_incident(snapshot), "", *_findings(assessment.findings)]
    jobs = list(_jobs(snapshot))
    lines += ["", "Steps taken in the last hour:", *jobs] if jobs else []
    lines += ["", f"Sent by {who.label} with the ops cockpit."]
    return Message(clean(f"{place} {note or headline}", 120), "\n".join(lines))


def summary(snapshot: Snapshot, settings: Settings, who: Operator, note: str) -> Message:
    """For stakeholders: no name, number or place; what is not made of fixed words is redacted."""
    severity, state = snapshot.assessment.severity, _state(snapshot)
    exercise = "" if snapshot.world is World.LIVE else "Exercise, nothing is real. "
    troubled = [one for one in snapshot.assessment.findings if one.severity <= Severity.P2 and not one.is_expected]
    lines = [f"{exercise}As of {_clock(snapshot.taken_at)[:5]} UTC: {_standing(severity)} {state}"]
    areas = list(dict.fromkeys(AREAS.get(one.panel, "the platform") for one in troubled))
    if areas:
        first = min(troubled, key=lambda one: one.since)
        earlier = " or earlier" if first.since_is is Since.OR_EARLIER else ""
        lines.append(f"Affected: {', '.join(areas)}, since {_clock(first.since)[:5]} UTC{earlier}.")
        lines.append("The operations team is working on it.")
    if note:
        lines.append(redacted(note, names(snapshot, settings, who)))
    lines += [redacted(one.summary, names(snapshot, settings, who)) for one in _told(snapshot)]
    lines.append(_update(snapshot))
    standing = _standing(severity)
    return Message(f"{exercise}{standing[:1].upper()}{standing[1:].rstrip('.')}", "\n\n".join(lines))


def _told(snapshot: Snapshot) -> tuple[Incident, ...]:
    """The open incident, where its report has a sentence."""
    return tuple(one for one in (snapshot.incidents.value or ())[:1] if one.summary)


def _update(snapshot: Snapshot) -> str:
    """What was promised, else that there will be something."""
    promised = [one.next_update_at for one in (snapshot.incidents.value or ())[:1]]
    if promised and promised[0] is not None and promised[0] > snapshot.taken_at:
        return f"We will write again by {_clock(promised[0])[:5]} UTC."
    return UPDATE


def names(snapshot: Snapshot, settings: Settings, who: Operator) -> set[str]:
    """People, hosts, accounts and symbols that a plain word could be."""
    found = {who.login, who.user, who.host, who.ssh_from or "", settings.site}
    switch = snapshot.kill_switch.value
    found |= set(names_held(snapshot) or ())
    found |= {switch.by or ""} if switch else set()
    found |= {job.by for job in snapshot.jobs}
    found |= set(names_in(settings))
    for incident in snapshot.incidents.value or ():
        found |= {incident.opened_by, *(person for _, person in incident.roles)}
    return {name for name in found if name}


def _standing(severity: Severity) -> str:
    if severity in (Severity.P1, Severity.P2):
        return f"the trading platform has an incident of class {severity.label} ({CLASSES[severity]})."
    if severity is Severity.UNKNOWN:
        return "the state of the trading platform is being established."
    return "the trading platform is working."


def _state(snapshot: Snapshot) -> str:
    sample = snapshot.kill_switch
    if sample.value is None or not sample.is_live(snapshot.taken_at):
        return "Whether trading is halted is being established."
    return "Trading is halted." if sample.value.is_engaged else "Trading is not halted."


def _trading(snapshot: Snapshot) -> str:
    sample, switch = snapshot.kill_switch, snapshot.kill_switch.value
    if switch is None or not sample.is_live(snapshot.taken_at):
        return "UNKNOWN"
    if not switch.is_engaged:
        return "ACTIVE"
    by = f" by {switch.by}" if switch.by else ""
    since = f" since {_clock(switch.since)} UTC" if switch.since is not None else ""
    return clean(f"HALTED{by}{since}{f': {switch.reason}' if switch.reason else ''}", 200)


def _incident(snapshot: Snapshot) -> Iterator[str]:
    """The newest that is open; what could not be read is not said to be none."""
    for one in (snapshot.incidents.value or ())[:1]:
        commander = f", commander {one.role('commander')}" if one.role("commander") else ""
        words = f"{one.severity.label} {one.title}, open since {_clock(one.opened_at)} UTC{commander} ({one.id})"
        yield clean(f"Incident: {words}", 300)
        if one.summary:
            yield clean(f"Its report says: {one.summary}", 1000)


def _findings(findings: tuple[Finding, ...]) -> Iterator[str]:
    if not findings:
        yield "Findings: none"
        return
    yield "Findings:"
    for one in findings[:MOST_FINDINGS]:
        answer = f" [{one.section} {one.section_title}]" if one.section else ""
        yield clean(f"  {one.severity.label} {one.summary}, since {_clock(one.since)} UTC{_doubt(one)}{answer}", 200)
    if len(findings) > MOST_FINDINGS:
        yield f"  and {len(findings) - MOST_FINDINGS} more"


def _doubt(finding: Finding) -> str:
    """Where the beginning is not known exactly, how it is not."""
    return {Since.OR_EARLIER: " or earlier", Since.WITH_A_GAP: ", not watched all the time"}.get(finding.since_is, "")


def _jobs(snapshot: Snapshot) -> Iterator[str]:
    recent = [job for job in snapshot.jobs if job.submitted_at > snapshot.taken_at - JOBS_SINCE_S]
    for job in recent[:MOST_JOBS]:
        yield clean(f"  {_clock(job.submitted_at)} UTC {job.title}: {job.phase}, by {job.by}", 200)


def _clock(at: float) -> str:
    try:
        return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return "??:??:??"
