"""The terminal is lost while a drill goes on and somebody types a confirmation: nothing is done, nothing stops."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.operator import CALM_S, Operator
from benchmarks.ptyprogram import PtyProgram
from cockpit.config import load
from cockpit.model.job import Phase
from cockpit.sandbox.layout import Layout
from cockpit.storage.audit import AuditLog
from cockpit.storage.jobs import JobStore
from tests.patience import PATIENCE_S
from tests.sandbox.conftest import Control, wait_until
from tests.sandbox.step_desk import ENDS
from tests.terminal.test_ends import IGNORES_HANGUP

FAULT = "feed-stalled"
TYPED = "regist"
ATTEMPTS = 6


@pytest.fixture
def config(sandbox: tuple[Layout, Control], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The shared sandbox, with a state, drills and incidents of its own."""
    layout, control = sandbox
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    found: dict[str, Any] = yaml.safe_load(layout.config.read_text())
    found |= {"state": str(tmp_path / "state"), "incidents": {"folder": str(tmp_path / "incidents")}}
    file = tmp_path / "cockpit.yaml"
    file.write_text(yaml.safe_dump(found))
    yield file
    headless(file, "drill", "stop")
    control.clear()


def headless(config: Path, *words: str) -> str:
    command = [sys.executable, "-m", "cockpit", "--config", str(config), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False).stdout


def opened(config: Path, *before: str) -> Operator:
    operator = Operator(PtyProgram([*before, sys.executable, "-m", "cockpit", "--config", str(config)]))
    operator.sees(lambda text: "ACTIVE" in text and "ws-gateway" in text)
    return operator


def test_the_drill_goes_on_and_what_was_half_typed_is_not_done(sandbox: tuple[Layout, Control], config: Path) -> None:
    registry = sandbox[0].registry.read_bytes()
    for at, before in enumerate(((), IGNORES_HANGUP)):
        operator = opened(config, *before)
        try:
            operator.press("4")
            if at == 0:
                begin(operator)
            else:
                operator.sees(lambda text: "Feed failover" in text and " hint " in text)
            operator.press("1")
            operator.chord(" fs")
            operator.sees(lambda text: "to go on" in text)
            operator.program.drain(CALM_S)
            operator.type(TYPED, "to go on:")
            operator.program.hang_up()
            assert operator.program.wait() == 129
        finally:
            operator.program.close()
        assert json.loads(headless(config, "drill", "show", "--json"))["verdict"] == "running"
        assert [fault["id"] for fault in sandbox[1].status()["faults"]] == [FAULT]
    state = load(config).state
    assert state is not None
    log = AuditLog(state)
    assert log.verify().is_sound
    kinds = [record.kind for record in log.tail(100)]
    assert kinds.count("closed") == kinds.count("opened") == 2 and "confirmed" not in kinds
    assert not list(JobStore(state / "jobs").jobs())
    assert sandbox[0].registry.read_bytes() == registry


@pytest.mark.parametrize("before", [(), IGNORES_HANGUP], ids=["default", "ignored"])
def test_a_job_goes_on_to_its_proof(config: Path, before: tuple[str, ...]) -> None:
    operator = opened(config, *before)
    state = load(config).state
    assert state is not None
    jobs = JobStore(state / "jobs")
    try:
        operator.press("K")
        operator.confirm()
        operator.program.until(lambda _: "verifying" in written(jobs))
        operator.program.hang_up()
        assert operator.program.wait() == 129
    finally:
        operator.program.close()
    wait_until(lambda: not written(jobs).isdisjoint(ENDS))
    (job,) = jobs.jobs()
    assert job.phase is Phase.DONE, job
    log = AuditLog(state)
    wait_until(lambda: {"confirmed", "closed", "proven"} <= {record.kind for record in log.tail(30)})
    assert log.verify().is_sound


def written(jobs: JobStore) -> set[str]:
    """The kinds of what any journal holds."""
    return {entry.kind for job in jobs.jobs() for entry in jobs.entries(job.id)}


def begin(operator: Operator) -> None:
    """The drill of a feed's failure."""
    operator.sees(lambda text: "Feed failover" in text)
    operator.chord("jj")
    for _ in range(ATTEMPTS):  # it is refused while what another test has broken is not whole again
        operator.press("\r")
        operator.sees(lambda text: "Begin a drill" in text and "Feed failover" in text.partition("Begin a drill")[2])
        operator.program.drain(CALM_S)
        operator.press("y")
        operator.sees(lambda text: "Begin a drill" not in text and "breaking the sandbox" not in text)
        with suppress(TimeoutError):
            operator.sees(lambda text: "─ Drill runs ─" in text, 30.0)
            operator.sees(lambda text: " hint " in text)
            return
    raise AssertionError(operator.program.text)
