"""A snapshot as aligned text: the two top lines, one line a panel, the findings."""

from __future__ import annotations

from collections.abc import Iterator

from cockpit.config import Settings
from cockpit.headless.panel_words import PANEL_WORDS
from cockpit.headless.status_json import age_of, iso
from cockpit.model.finding import Finding
from cockpit.model.job import Job
from cockpit.model.severity import Severity
from cockpit.model.snapshot import Snapshot
from cockpit.severity.silence import configured
from cockpit.severity.trading import Trading, halt_readiness, trading
from cockpit.severity.words import seconds

TITLES = {
    "brokers": "Brokers",
    "flow": "Order flow",
    "feeds": "Feeds",
    "redis": "Redis",
    "risk": "Risk",
    "postgres": "Postgres",
    "kubernetes": "Kubernetes",
    "alerts": "Alerts",
}


def as_text(snapshot: Snapshot, settings: Settings) -> str:
    """Some twenty lines."""
    return "\n".join(
        (*_top(snapshot, settings), "", *_panels(snapshot, settings), *_findings(snapshot), *_jobs(snapshot))
    )


def _top(snapshot: Snapshot, settings: Settings) -> Iterator[str]:
    light = halt_readiness(snapshot, settings)
    worst = snapshot.assessment.severity
    count = len(snapshot.assessment.findings)
    noun = "finding" if count == 1 else "findings"
    yield f"{snapshot.world.value} {snapshot.site}   {(iso(snapshot.taken_at) or '')[:19]}Z"
    yield f"{'Trading':<10}  {trading_words(trading(snapshot), snapshot.taken_at)}"
    rung = f" via {light.rung}" if light.rung == "Redis" else f", {light.rung}"
    yield f"{'Halt':<10}  {light.word}{rung}: {light.reason}"
    yield f"{'Severity':<10}  {worst.label}" + (f", {count} {noun}" if count else "")
    yield f"{'Incident':<10}  {incident_words(snapshot)}"


def incident_words(snapshot: Snapshot) -> str:
    """P1 Redis down, 4 min of 15 min, commander asha (2026-04-01-1944-P1-redis-down); none open; UNKNOWN."""
    found = snapshot.incidents.value
    if found is None:
        return f"UNKNOWN: {snapshot.incidents.error}" if snapshot.incidents.error else "UNKNOWN"
    if not found:
        return "none open"
    one = found[0]
    clock = seconds(max(0.0, snapshot.taken_at - one.from_at))
    goal = f" of {seconds(one.rto_minutes * 60)}" if one.rto_minutes is not None else ""
    commander = f", commander {one.role('commander')}" if one.role("commander") else ""
    others = f", and {len(found) - 1} more open" if len(found) > 1 else ""
    return f"{one.severity.label} {one.title}, {clock}{goal}{commander} ({one.id}){others}"


def trading_words(state: Trading, now: float) -> str:
    """ACTIVE 42 m; HALTED 3 m by asha: drill; UNKNOWN, last known ACTIVE 12 s ago."""
    words = state.word.value
    if state.last_known is not None and state.age_s is not None:
        return f"{words}, last known {state.last_known.value} {seconds(state.age_s)} ago"
    if state.since is not None:
        words += f" {seconds(max(0.0, now - state.since))}"
    if state.by:
        words += f" by {state.by}"
    return words + (f": {state.reason}" if state.reason else "")


def _panels(snapshot: Snapshot, settings: Settings) -> Iterator[str]:
    there = configured(settings)
    for name, title in TITLES.items():
        severity = snapshot.assessment.panel(name)
        age_s = age_of(snapshot, name, there)
        age = "-" if age_s is None else seconds(age_s)
        yield f"{title:<10}  {severity.label:<7}  {age:>6}  {PANEL_WORDS[name](snapshot, settings)}"


def _findings(snapshot: Snapshot) -> Iterator[str]:
    if snapshot.assessment.findings:
        yield ""
    for finding in snapshot.assessment.findings:
        yield _finding(finding, snapshot.taken_at)
        if finding.by_hand:
            yield f"       {finding.by_hand}"


def _finding(finding: Finding, now: float) -> str:
    severity = "P4 ok" if finding.is_expected and finding.severity is Severity.P4 else finding.severity.label
    answer = f"{finding.section} {finding.section_title}" if finding.section else ""
    keys = f"  {finding.keys}" if finding.keys else ""
    keys += f", {finding.release} releases" if finding.release else ""
    if finding.follows is not None:
        answer, keys = "told above too", ""
    age = finding.since_is.marked(seconds(max(0.0, now - finding.since)))
    return f"{severity:<5}  {finding.summary:<60}  {age:>8}  {answer}{keys}".rstrip()


def _jobs(snapshot: Snapshot) -> Iterator[str]:
    shown = [job for job in snapshot.jobs if not job.phase.is_over]
    if shown:
        yield ""
    for job in shown:
        yield _job(job)


def _job(job: Job) -> str:
    return f"job  {job.id}  {job.phase.value}  {job.title} on {job.target} by {job.by}"
