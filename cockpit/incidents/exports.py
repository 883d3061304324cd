"""An incident for others to read: the whole report, a summary for stakeholders, the timeline as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from cockpit.alerting.redaction import redacted_report
from cockpit.incidents.metrics import Metrics, metrics
from cockpit.incidents.report import cell, halted, halts, steps, troubles
from cockpit.incidents.spans import span
from cockpit.model.incident import Incident
from cockpit.storage.incident_front import iso, split
from cockpit.storage.incident_text import section_text, uncommented

SECTIONS = {
    "3.1": "Broker outage",
    "3.2": "Data feed failure",
    "3.3": "Redis crash",
    "3.4": "Postgres crash",
    "3.5": "Risk breach",
}


def full(incident: Incident, text: str, now: float) -> str:
    """The report with its facts and metrics above what people wrote."""
    rows = [f"| {name} | {cell(value)} |" for name, value in (*_facts(incident), *_measures(incident, now))]
    title, body = _body(text)
    tables = (*steps(incident), *troubles(incident))
    return "\n".join([*title, "| | |", "|---|---|", *rows, "", *tables, body, ""])


def _body(text: str) -> tuple[list[str], str]:
    """The heading, and what people and cockpits wrote, without prompts and marks that only a cockpit reads."""
    body = re.sub(r"\n{3,}", "\n\n", uncommented(split(text)[1])).strip("\n")
    first, _, rest = body.partition("\n")
    return ([first, ""], rest.strip("\n")) if first.startswith("# ") else ([], body)


def summary(incident: Incident, text: str, now: float, secrets: Iterable[str] = ()) -> str:
    """For stakeholders: what happened and how it stands; nothing of the redaction list."""
    words = (*secrets, *people(incident))
    state = "closed" if not incident.is_open else "being worked on"
    found = metrics(incident, now)
    if incident.is_open and found.recovered_s is not None:
        state = "recovered, being watched"
    parts = [
        f"# {incident.severity.label} incident: {SECTIONS.get(incident.section, 'trading platform')}",
        f"State: {state}. Began {_utc(incident.from_at)}."
        + (f" Recovered after {span(found.recovered_s)}." if found.recovered_s is not None else ""),
    ]
    if incident.is_drill:
        parts.insert(1, "This is a drill.")
    for name in ("Summary", "Impact"):
        written = redacted_report(section_text(text, name), words)
        parts += [f"## {name}", written or "Not written yet."]
    if incident.is_open and incident.next_update_at is not None:
        parts.append(f"Next update: {_utc(incident.next_update_at)}.")
    return "\n\n".join(parts) + "\n"


def people(incident: Incident) -> set[str]:
    """Everybody who is named in it: a plain word may be one of them."""
    found = {incident.opened_by, incident.closed_by, incident.reviewed_by, incident.site, *incident.break_glass}
    found |= {who for _, who in incident.roles} | {change.by for change in incident.severity_history}
    return {name for name in found if name}


def timeline_json(incident: Incident, now: float) -> str:
    """Facts, metrics and timeline for a program."""
    return json.dumps(as_facts(incident, now), indent=1, ensure_ascii=False)


def as_facts(incident: Incident, now: float) -> dict[str, Any]:
    """Everything as plain values; times in ISO, unknown is null."""
    found = metrics(incident, now)
    return {
        "id": incident.id,
        "title": incident.title,
        "severity": incident.severity.label,
        "is_open": incident.is_open,
        "world": incident.world,
        "site": incident.site,
        "section": incident.section,
        "is_drill": incident.is_drill,
        "opened": iso(incident.opened_at),
        "opened_by": incident.opened_by,
        "closed": _iso(incident.closed_at),
        "cause": incident.cause,
        "roles": dict(incident.roles),
        "problem": incident.problem,
        "next_update": _iso(incident.next_update_at),
        "severity_history": [
            {"at": iso(each.at), "severity": each.severity.label, "by": each.by, "reason": each.reason}
            for each in incident.severity_history
        ],
        "metrics": {
            "mtta_s": found.acknowledged_s,
            "mttr_s": found.recovered_s,
            "running_s": found.running_s,
            "rto_target_s": found.target_s,
            "rto_met": found.is_within,
            "halts": [{"from": iso(began), "until": _iso(end)} for began, end in halts(incident)],
            "rpo_minutes": found.lost_minutes,
            "rpo_rows": found.lost_rows,
        },
        "timeline": [
            {"at": iso(entry.at), "kind": entry.kind, "text": entry.text, "key": entry.key}
            for entry in incident.timeline
        ],
    }


def _facts(incident: Incident) -> list[tuple[str, str]]:
    rows = [
        ("Incident", f"{incident.severity.label} {incident.title}" + (" (drill)" if incident.is_drill else "")),
        ("World and site", f"{incident.world} {incident.site}"),
        ("Runbook section", f"{incident.section} {SECTIONS.get(incident.section, '')}".strip() or "none"),
        ("Began", _utc(incident.from_at)),
        ("Opened", f"{_utc(incident.opened_at)} by {incident.opened_by or 'unknown'}"),
        ("Closed", _closed(incident)),
        ("Cause", incident.cause or "not known"),
    ]
    rows += [(role.capitalize(), who) for role, who in incident.roles]
    for change in incident.severity_history[1:]:
        rows.append(("Severity", f"{change.severity.label} from {_utc(change.at)} by {change.by}: {change.reason}"))
    if incident.break_glass:
        rows.append(
            ("Acted alone", f"{', '.join(incident.break_glass)}; reviewed by {incident.reviewed_by or 'nobody'}")
        )
    return rows


def _closed(incident: Incident) -> str:
    if incident.closed_at is None:
        return "open"
    return f"{_utc(incident.closed_at)} by {incident.closed_by or 'unknown'}"


def _measures(incident: Incident, now: float) -> list[tuple[str, str]]:
    found = metrics(incident, now)
    return [
        ("Time to acknowledge (MTTA)", span(found.acknowledged_s)),
        ("Time to recover (MTTR)", span(found.recovered_s)),
        ("Recovery time objective (RTO)", _target(found)),
        ("Kill switch engaged", halted(incident, now)),
        ("Data lost (RPO)", _lost(found)),
    ]


def _target(found: Metrics) -> str:
    if found.target_s is None:
        return "none set"
    word = {True: "met", False: "MISSED", None: "running"}[found.is_within]
    took = f" (it took {span(found.running_s)})" if found.is_within is not None else ""
    return f"{span(found.target_s)}: {word}{took}"


def _lost(found: Metrics) -> str:
    parts = [] if found.lost_rows is None else [f"{found.lost_rows:,} rows"]
    parts += [] if found.lost_minutes is None else [f"{found.lost_minutes:g} min"]
    return ", ".join(parts) or "not measured"


def _utc(at: float | None) -> str:
    return "not known" if at is None else iso(at).replace("T", " ").replace("Z", " UTC")


def _iso(at: float | None) -> str | None:
    return None if at is None else iso(at)
