"""Every fault of the sandbox is seen in its panel with its words, and is gone when it is cleared."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import redis
from msgspec import structs

from benchmarks.expectations import EXPECTED, RUNBOOK, Expected
from cockpit.config import load
from cockpit.model.snapshot import PROBES
from cockpit.sandbox.faults import FAULTS
from cockpit.sandbox.layout import Layout
from cockpit.session import Session
from tests.patience import PATIENCE_S
from tests.sandbox.conftest import Control, wait_until


@pytest.fixture(scope="module")
def watching(sandbox: tuple[Layout, Control], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    state: Path = tmp_path_factory.mktemp("state")
    session = Session.open(structs.replace(load(sandbox[0].config), state=state))
    session.start(lambda snapshot: None)
    yield session
    session.stop()


def test_the_table_holds_every_fault() -> None:
    assert {expected.fault for expected in EXPECTED} == set(FAULTS)


def test_every_line_of_the_runbook_is_produced_by_a_fault_at_its_severity() -> None:
    expected = {each.fault: each.severity for each in EXPECTED}
    wrong = [
        line for line, severity, faults in RUNBOOK if not faults or {expected[each] for each in faults} != {severity}
    ]
    assert wrong == []
    assert len({line for line, _, _ in RUNBOOK if line.startswith("1 ")}) == 12


def is_ready_for(expected: Expected, layout: Layout, watching: Session) -> bool:
    """It trades, everything was read, and nobody would take what is wrong already for this fault."""
    snapshot = watching.snapshot
    switch, is_read = snapshot.kill_switch.value, all(getattr(snapshot, name).error is None for name in PROBES)
    if switch is not None and switch.is_engaged:
        release(layout, watching)
        return False
    return switch is not None and is_read and expected.seen_in(snapshot) is None


def release(layout: Layout, watching: Session) -> None:
    """What a backlog of an earlier fault made of the risk limits is ended as an operator would."""
    switch, risk = watching.snapshot.kill_switch.value, watching.snapshot.risk.value
    is_over = any("> limit" in one.summary for one in watching.snapshot.assessment.findings)
    if switch is not None and switch.is_engaged and risk is not None and not is_over:
        with closing(redis.Redis(port=layout.ports.redis, socket_timeout=PATIENCE_S)) as client:
            values = {"enabled": "false", "by": "test", "reason": "", "ts": str(round(time.time() * 1000))}
            client.hset("policy:kill_switch", mapping=values)


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda expected: expected.fault)
def test_a_fault_is_seen_and_gone(expected: Expected, sandbox: tuple[Layout, Control], watching: Session) -> None:
    control = sandbox[1]
    control.clear()
    wait_until(lambda: is_ready_for(expected, control.layout, watching))
    control.inject(expected.fault)
    try:
        finding = wait_until(lambda: expected.seen_in(watching.snapshot))
        if any(expected.fault in faults for _, _, faults in RUNBOOK):
            assert finding.severity is expected.severity
        assert watching.snapshot.assessment.panel(expected.panel) <= finding.severity
    finally:
        control.clear(expected.fault)
    wait_until(lambda: expected.seen_in(watching.snapshot) is None)
