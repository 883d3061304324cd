"""The worker that proves a halt: of a session of its own, with nothing of the cockpit's."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from cockpit.model.job import Phase, StepState
from cockpit.model.plan import Confirmation
from cockpit.storage.jobs import JobStore
from tests.sandbox.lone_redis import LoneRedis, a_runner, a_snapshot, end_workers, lone_redis, until

KEY = "policy:kill_switch"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LoneRedis]:
    with lone_redis(tmp_path) as running:
        yield running
        end_workers(tmp_path / "state")


def test_the_worker_holds_nothing_of_ours_and_survives_us(server: LoneRedis, tmp_path: Path) -> None:
    runner = a_runner(server.settings(), tmp_path / "state")
    runner.start()
    shown = a_snapshot(server.settings())
    plan = runner.prepare("kill_switch.engage", {"reason": "test"}, shown)
    secret = os.open(tmp_path, os.O_RDONLY)
    os.set_inheritable(secret, True)
    job = runner.submit(plan, Confirmation(plan.digest), shown)
    folder = tmp_path / "state" / "jobs" / job.id
    entry = until(lambda: next((e for e in JobStore(folder.parent).entries(job.id) if e.kind == "verifying"), None))
    pid = entry.facts["pid"]
    links = {link.name: str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()}
    os.close(secret)
    assert links["0"] == str(folder / "lock")
    assert links["1"] == links["2"] == str(folder / "worker.log")
    assert str(tmp_path) not in links.values()
    assert os.getsid(pid) == pid
    arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:-1]
    assert arguments[-2:] == [str(folder).encode(), str(folder / "settings.json").encode()]
    runner.stop()
    os.kill(pid, signal.SIGHUP)
    os.kill(pid, signal.SIGINT)
    os.kill(pid, 0)
    os.kill(pid, signal.SIGKILL)
    # Nobody proves it now: in doubt, and the next cockpit looks after it without doing it again.
    written = server.client.hgetall(KEY)
    other = a_runner(server.settings(), tmp_path / "state")
    until(lambda: (now := other.job(job.id)) is not None and now.phase is Phase.IN_DOUBT)
    other.jobs()
    until(lambda: (now := other.job(job.id)) is not None and now.phase is Phase.VERIFYING)
    assert server.client.hgetall(KEY) == written
    found = until(lambda: (now := other.job(job.id)) and now.proofs[0].state is StepState.DONE and now)
    assert any("another one looks what became of it" in note for note in found.notes)
    other.stop()
