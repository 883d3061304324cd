"""P1 and P2 are told by themselves, by one cockpit of two, and so is their end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs

from cockpit.config import load
from cockpit.model.snapshot import Snapshot
from cockpit.sandbox.layout import Layout
from cockpit.session import Session
from tests.sandbox.conftest import Control, wait_until
from tests.unit.hostile_sinks import OK, Sink, serve_slack, sinking

QUICK = {"settle_s": 0.5, "clear_s": 3.0, "pause_s": 0.5, "hourly": 100}


@pytest.fixture
def sink(sandbox: tuple[Layout, Control]) -> Iterator[Sink]:
    layout, control = sandbox
    alerts = layout.root / "alerts.yaml"
    before = alerts.read_bytes()
    with sinking(serve_slack, OK) as found:
        hook = f"http://127.0.0.1:{found.port}/services/T/B/x"
        routing = f"routing: {{slack: {{webhook_url: '{hook}'}}}}"
        # The configuration wants the risk officer told too: whom the file lacks keeps nobody else from it.
        alerts.write_text(f"notify: {{enabled: true}}\n{routing}\naudiences: {{ops: {{channels: [slack]}}}}\n")
        yield found
    alerts.write_bytes(before)
    control.clear()


def lacks_only_one_to_tell(snapshot: Snapshot) -> bool:
    """Nothing else is wrong than that the risk officer cannot be told."""
    return [one.rule for one in snapshot.assessment.findings] == ["notices_unsent"]


def heard(sink: Sink) -> list[str]:
    """The first lines of what arrived."""
    return [json.loads(body)["text"].splitlines()[0] for body in sink.got]


def test_one_of_two_cockpits_tells_and_each_thing_once(
    sandbox: tuple[Layout, Control], sink: Sink, tmp_path: Path
) -> None:
    layout, control = sandbox
    settings = load(layout.config)
    part = structs.replace(settings.alerting, **QUICK)
    settings = structs.replace(settings, alerting=part, state=tmp_path / "state")
    both = [Session.open(settings, is_attended=True) for _ in range(2)]
    for session in both:
        session.start(lambda snapshot: None)
    try:
        wait_until(lambda: all(lacks_only_one_to_tell(session.snapshot) for session in both))
        control.inject("feed-late")
        wait_until(lambda: any(" P2: " in line for line in heard(sink)))
        control.clear("feed-late")
        wait_until(lambda: any("All clear" in line for line in heard(sink)))
        told = heard(sink)
        assert len(told) == len(set(told)), told
        assert all(line.startswith("[SANDBOX sandbox] ") for line in told)
        jobs = wait_until(lambda: len(both[0].snapshot.jobs) >= len(told) and both[0].snapshot.jobs)
        assert {job.action for job in jobs} == {"notify.send"}
        assert {job.reason for job in jobs} == {"told by itself"}
    finally:
        for session in both:
            session.stop()
