"""A hand-made session in which everybody who can put text somewhere has put the same bad one there."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

from msgspec import structs

from cockpit.model.alerting import Alerting
from cockpit.model.audit import AuditRecord, Recent
from cockpit.model.backends import Databases
from cockpit.model.choice import Choice
from cockpit.model.danger import Danger
from cockpit.model.drill import Board, Due
from cockpit.model.job import Phase
from cockpit.model.latch import Latch
from cockpit.model.rehearsal import Outcome, Rehearsal
from cockpit.model.severity import Severity
from cockpit.model.snapshot import PROBES, Snapshot
from cockpit.model.walk import Walk
from cockpit.storage.output import OUTPUT
from tests.terminal.hostile import poisoned, poisoned_snapshot
from tests.terminal.hostile_parts import example, grown
from tests.ui import snapshots
from tests.ui.fake_session import FakeDrills, FakeReadiness, FakeSession, a_request, done

DOUBT = "20260620-194300-replay-77aa"


def poison(session: FakeSession, text: str) -> None:
    """Plans, steps, choices, records, jobs and their output, requests, a walk, names of the site and of people."""
    session.plan, session.release = poisoned(session.plan, text), poisoned(session.release, text)
    session.release = replace(session.release, phrase="GO", needs_second=True)
    steps = tuple(replace(step, title=text, summary=text, section_title=text) for step in session.actions())
    asks = replace(
        steps[0], key="d", id="scale", step="scale", parameters=(("deployment", "?"),), danger=Danger.DISRUPT
    )
    session.actions = lambda: (*steps, asks)  # type: ignore[method-assign]
    session.offered = {"deployment": (Choice("deployment", text, text), Choice("deployment", "api", text))}
    record = AuditRecord(snapshots.NOW, session.operator, "confirmed", "SANDBOX", "hf-1", "", "", "", "0")
    session.shelf.recent = Recent((poisoned(record, text), record))
    session.shelf.kept = Walk("3.1", text, ("kill-switch", "release"), text, snapshots.NOW)
    session.operator = poisoned(session.operator, text)
    session.settings = structs.replace(session.settings, site=text)
    session.seconds.answer = poisoned(session.seconds.answer, text)
    _poison_drills(session.drills, text)
    _poison_readiness(session.readiness, text)


def _poison_drills(drills: FakeDrills, text: str) -> None:
    """One that is due and one that runs, the coach, the reports."""
    due = example(Due, text)
    scenario = replace(due.scenario, name="one", goals=(replace(due.scenario.goals[0], name="detected"),) * 2)
    running = replace(due.last, scenario="one", started_at=snapshots.NOW - 9, mets=(), ended_at=None, rto_s=900.0)
    drills.kept = Board((replace(due, scenario=scenario),), running, (due.last,))
    drills.report = lambda drill_id: done(f"{text}\n" * 30)  # type: ignore[method-assign]
    drills.said = lambda drill, now: (text, text)  # type: ignore[method-assign]
    drills.where = lambda: text  # type: ignore[method-assign]


def _poison_readiness(readiness: FakeReadiness, text: str) -> None:
    """A rehearsal with a line of each outcome, and one that goes on and says how far it is."""
    found = example(Rehearsal, text)
    lines = tuple(replace(found.lines[0], outcome=outcome) for outcome in Outcome)
    readiness.kept = replace(found, at=snapshots.NOW - 60, lines=lines)

    def run(snapshot: Snapshot, tell: Callable[[str], None]) -> Future[Rehearsal]:
        tell(text)
        return readiness.running

    readiness.run = run  # type: ignore[method-assign]


def shown(session: FakeSession, name: str, text: str, is_lost: bool = False) -> Snapshot:
    """A moment in which all texts are bad, with a job that runs and one in doubt; nothing answers where all is lost."""
    running = snapshots.engaged(Phase.RUNNING)
    doubt = replace(snapshots.engaged(Phase.IN_DOUBT), id=DOUBT, error="nobody knows")
    moment = replace(snapshots.ALL[name](), jobs=(doubt, running), requests=(a_request(), a_request()))
    moment = replace(
        moment,
        databases=snapshots.good(example(Databases, text)),
        alerting=snapshots.good(example(Alerting, text)),
        latch=example(Latch, text),
    )
    whole = grown(moment, text)
    jobs = tuple(replace(job, resolved_by=None) for job in whole.jobs)
    bad = poisoned_snapshot(replace(whole, incidents=moment.incidents, jobs=jobs), text)
    trends = {f"{name.partition(':')[0]}:{text}": points for name, points in bad.trends.items()}
    bad = replace(bad, trends={**bad.trends, **trends})
    if is_lost:
        lost = {each: replace(getattr(bad, each), value_at=snapshots.NOW - 14) for each in PROBES}
        bad = replace(bad, **{each: sample.failed(text, snapshots.NOW, 0.1) for each, sample in lost.items()})
    session.jobs = {job.id: job for job in bad.jobs}
    return replace(bad, incidents=session.incidents.open_now())


def write_incident(session: FakeSession, text: str) -> None:
    """An open incident, and what somebody with another editor has made of its file; and what a job has printed."""
    incident = session.incidents.open("redis", Severity.P2, "3.3", snapshots.healthy()).result(10.0)
    folder: Any = session.incidents._incidents.folder
    file = Path(folder) / f"{incident.id}.md"
    entry = f"{text}\n- 2026-06-20 19:44:12Z note: {text}\n\n## Actions"
    whole = file.read_text().replace("\n## Actions", entry).replace("# redis", f"# redis\n{text}")
    file.write_bytes(whole.encode("utf-8", "surrogatepass") + b"\xff\xfe \x9b31m broken\n")
    session.shelf.folder = Path(folder)
    (Path(folder) / OUTPUT).write_bytes(f"{text}\n".encode("utf-8", "surrogatepass") * 50 + b"\xff\x9b31m \x1b[2J\n")
