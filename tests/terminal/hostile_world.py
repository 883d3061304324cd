"""A hand-made session in which everybody who can put text somewhere has put the same bad one there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from msgspec import structs

from cockpit.model.audit import AuditRecord, Recent
from cockpit.model.choice import Choice
from cockpit.model.danger import Danger
from cockpit.model.job import Phase
from cockpit.model.severity import Severity
from cockpit.model.snapshot import Snapshot
from cockpit.model.walk import Walk
from cockpit.storage.output import OUTPUT
from tests.terminal.hostile import poisoned, poisoned_snapshot
from tests.ui import snapshots
from tests.ui.fake_session import FakeSession, a_request

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


def shown(session: FakeSession, name: str, text: str) -> Snapshot:
    """A moment in which all texts are bad, with a job that runs and one in doubt."""
    running = snapshots.engaged(Phase.RUNNING)
    doubt = replace(snapshots.engaged(Phase.IN_DOUBT), id=DOUBT, error="nobody knows")
    moment = replace(snapshots.ALL[name](), jobs=(doubt, running), requests=(a_request(), a_request()))
    bad = poisoned_snapshot(moment, text)
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
