"""kill -9 of the cockpit at any moment: the journal stays true, and the next one finds out without acting again."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cockpit.jobs.launch import settings_text
from cockpit.model.job import Job, StepState
from cockpit.storage.audit import AuditLog
from cockpit.storage.jobs import JobStore
from tests.patience import PATIENCE_S
from tests.sandbox.lone_redis import LoneRedis, a_runner, end_workers, lone_redis, until

KEY = "policy:kill_switch"
ROOT = Path(__file__).parents[2]
NEVER = 99


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoneRedis]:
    with lone_redis(tmp_path_factory.mktemp("redis")) as running:
        yield running


def victim(server: LoneRedis, state: Path, turn: int, moment: str) -> subprocess.Popen[str]:
    config = state.with_suffix(".json")
    config.write_text(settings_text(server.settings()))
    command = [sys.executable, "-m", "tests.sandbox.kill_switch_victim", str(config), str(state), str(turn), moment]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def press(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("y\n")
    process.stdin.flush()


def assert_true(server: LoneRedis, state: Path) -> str:
    """What the journal says is what is in Redis; says how far it had come."""
    flag = server.client.hgetall(KEY)
    assert AuditLog(state).verify().is_sound
    before = JobStore(state / "jobs").jobs()
    assert before or not flag, "the flag is set and nobody wrote down that it would be"
    kinds = [record.kind for record in AuditLog(state).tail()]
    assert "confirmed" in kinds or not flag
    if not before:
        return "nothing done"
    entries = JobStore(state / "jobs").entries(before[0].id)
    assert [entry.kind for entry in entries][:3] == ["submitted", "confirmed", "step_started"]
    job = settled(server, state, before[0])
    # Read again: what the victim had sent may have been executed after its death.
    flag = server.client.hgetall(KEY)
    assert job.steps[0].state is (StepState.DONE if flag else StepState.FAILED)
    assert not flag or flag["ts"] == str(entries[2].facts["write"]["ts_ms"]), "it was done a second time"
    return job.steps[0].detail


def settled(server: LoneRedis, state: Path, job: Job) -> Job:
    """After the next cockpit has looked after it."""
    runner = a_runner(server.settings(), state)

    def known() -> Job | None:
        runner.jobs()
        found = runner.job(job.id)
        return found if found is not None and found.steps[0].state in (StepState.DONE, StepState.FAILED) else None

    found: Job = until(known)
    runner.stop()
    return found


@pytest.fixture
def state(server: LoneRedis, tmp_path: Path) -> Iterator[Path]:
    server.client.delete(KEY)
    yield tmp_path / "state"
    end_workers(tmp_path / "state")


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("turn", range(1, 9))
def test_killed_at_every_write(server: LoneRedis, state: Path, turn: int, moment: str) -> None:
    with victim(server, state, turn, moment) as process:
        press(process)
        assert process.wait(PATIENCE_S) == -9
    print(f"killed {moment} write {turn}: {assert_true(server, state)}")


@pytest.mark.parametrize("seed", range(6))
def test_killed_at_a_random_moment(server: LoneRedis, state: Path, seed: int) -> None:
    with victim(server, state, NEVER, "before") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        press(process)
        ends_at = time.monotonic() + random.Random(seed).uniform(0.0, 0.03)
        while time.monotonic() < ends_at:
            pass
        process.kill()
        process.wait(PATIENCE_S)
    print(f"killed: {assert_true(server, state)}")
