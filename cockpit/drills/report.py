"""The report of a drill, for a risk officer who was not there: who, when, where, each goal, what was missed."""

from __future__ import annotations

from collections.abc import Iterator

from cockpit.drills.scoring import recovered_s
from cockpit.incidents.exports import SECTIONS, full
from cockpit.incidents.spans import span
from cockpit.model.drill import Drill, Scenario
from cockpit.model.incident import Incident
from cockpit.storage.incident_front import iso


def report(drill: Drill, scenario: Scenario, incident: Incident | None, text: str) -> str:
    """Markdown; the incident's own report below it."""
    parts = (_head(drill, scenario), _goals(drill, scenario), _rest(drill), _incident(drill, incident, text))
    return "\n".join(line for part in parts for line in part) + "\n"


def _head(drill: Drill, scenario: Scenario) -> Iterator[str]:
    ended = drill.ended_at or drill.started_at
    yield f"# Drill: {drill.title}: {drill.verdict}"
    yield ""
    yield "This was an exercise on a sandbox. No order reached a market and no message left its host."
    yield ""
    yield "| | |"
    yield "|---|---|"
    yield f"| Drill | {drill.id} |"
    yield f"| Runbook section | {drill.section} {SECTIONS.get(drill.section, '')} |"
    yield f"| Scenario | {scenario.sentence} (fault {scenario.fault}) |"
    yield f"| World and site | {drill.world} {drill.site} |"
    yield f"| Played by | {drill.by} |"
    yield f"| Began | {_utc(drill.started_at)} |"
    yield f"| Ended | {_utc(ended)} after {span(ended - drill.started_at)}, {_ending(drill)} |"
    took_s = recovered_s(drill, scenario)
    objective = "none set" if drill.rto_s is None else span(drill.rto_s)
    yield f"| Recovered (RTO) | {span(took_s)}, objective {objective} |"
    lost = [f"{drill.rpo_rows:,} rows" if drill.rpo_rows is not None else ""]
    lost += [f"at most {drill.rpo_minutes:g} min" if drill.rpo_minutes is not None else ""]
    yield f"| Data lost (RPO) | {', '.join(filter(None, lost)) or 'not measured'} |"
    yield f"| Incident | {drill.incident or 'none'} |"
    yield f"| Verdict | **{drill.verdict}** |"


def _ending(drill: Drill) -> str:
    words = {"stopped": "stopped before everything was reached", "lost": "its sandbox went away"}
    return words.get(drill.ending, "everything was reached")


def _goals(drill: Drill, scenario: Scenario) -> Iterator[str]:
    yield ""
    yield "## Goals"
    yield ""
    yield "| goal | reached after | at | what was asked for |"
    yield "|---|---|---|---|"
    for goal in scenario.goals:
        at = drill.met(goal.name)
        when = ("**not reached**", "") if at is None else (span(at - drill.started_at), _utc(at))
        yield f"| {goal.name} | {when[0]} | {when[1]} | {goal.say.replace('|', '/')} |"


def _rest(drill: Drill) -> Iterator[str]:
    yield ""
    yield "## What was missed"
    yield ""
    yield from (f"- {one}" for one in drill.missed or ("nothing",))
    if drill.unwatched_s:
        yield ""
        yield (
            f"For {span(drill.unwatched_s)} no cockpit was open on it: what bears no time of its own was seen "
            "later than it happened."
        )
    if drill.left:
        yield ""
        yield "Left in the sandbox: " + "; ".join(drill.left) + "."


def _incident(drill: Drill, incident: Incident | None, text: str) -> Iterator[str]:
    if incident is not None:
        yield ""
        yield f"## Incident {incident.id}"
        yield ""
        yield full(incident, text, drill.ended_at or drill.started_at)


def _utc(at: float) -> str:
    return iso(at).replace("T", " ").replace("Z", " UTC")
