"""The wish to be halted outlives Redis' memory: on a real Redis that crashes, forgets, refuses, is released by hand."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from cockpit.jobs import vigil as vigil_module
from cockpit.jobs.runner import Runner
from cockpit.model.job import Job, Phase
from cockpit.model.latch import Latch
from cockpit.model.plan import Confirmation
from cockpit.storage.audit import AuditLog
from cockpit.storage.latches import LatchFile
from tests.sandbox.lone_redis import LoneRedis, a_runner, a_snapshot, end_workers, ended, lone_redis, until
from tests.sandbox.test_kill_switch_redis import seen

KEY = "policy:kill_switch"


@dataclass
class Desk:
    server: LoneRedis
    state: Path
    runner: Runner

    @property
    def file(self) -> LatchFile:
        return LatchFile(self.state, self.server.settings().redis)

    def engage(self, reason: str = "IBKR down") -> Job:
        shown = a_snapshot(self.server.settings())
        plan = self.runner.prepare("kill_switch.engage", {"reason": reason}, shown)
        return self.runner.submit(plan, Confirmation(plan.digest), shown)

    def flag(self) -> dict[str, str]:
        found: dict[str, str] = self.server.client.hgetall(KEY)
        return found

    def is_engaged(self) -> bool:
        return self.flag().get("enabled") == "true"

    def kinds(self) -> list[str]:
        return [record.kind for record in AuditLog(self.state).tail()]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LoneRedis]:
    with lone_redis(tmp_path) as running:
        yield running
        end_workers(tmp_path / "state")


@pytest.fixture
def desk(server: LoneRedis, tmp_path: Path) -> Iterator[Desk]:
    runner = a_runner(server.settings(), tmp_path / "state")
    runner.start()
    yield Desk(server, tmp_path / "state", runner)
    runner.stop()


@pytest.fixture
def halted(desk: Desk) -> Desk:
    desk.engage()
    until(lambda: (latch := desk.file.read()) is not None and latch.is_held)
    return desk


@pytest.mark.parametrize("loss", ["flushed", "evicted", "older copy", "only the flag"])
def test_what_redis_forgets_is_engaged_again_as_it_was(halted: Desk, loss: str) -> None:
    before, client = halted.flag(), halted.server.client
    losing: dict[str, Any] = {
        "flushed": client.flushall,
        "evicted": lambda: client.delete(KEY),
        "older copy": lambda: client.hset(KEY, mapping={"enabled": "false", "by": "bo@jump1", "ts": "1700000000000"}),
        "only the flag": lambda: client.hset(KEY, "enabled", "false"),
    }
    losing[loss]()
    lost_at = time.monotonic()
    until(halted.is_engaged)
    print(f"{loss}: engaged again after {time.monotonic() - lost_at:.3f} s")
    assert halted.flag() == before, "the same halt, by the same person, since the same moment"
    until(lambda: "reasserted" in halted.kinds())
    latch = until(lambda: (found := halted.file.read()) and found.losses and found)
    assert (latch.losses, latch.restored_at is not None) == (1, True)
    assert AuditLog(halted.state).verify().is_sound


def test_a_redis_that_crashed_without_its_memory_is_halted_again_as_soon_as_it_is_back(
    halted: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    server, before = halted.server, halted.flag()
    server.kill()
    for file in server.folder.glob("appendonlydir/*"):
        file.unlink()
    server.start()
    back_at = time.monotonic()
    until(halted.is_engaged)
    with capsys.disabled():
        print(f" [flag back {time.monotonic() - back_at:.3f} s after Redis] ", end="")
    assert halted.flag() == before


def test_several_cockpits_engage_it_once(halted: Desk) -> None:
    other = a_runner(halted.server.settings(), halted.state)
    other.start()
    try:
        other.jobs()
        assert other.vigil.present is not None
        for _ in range(3):
            halted.server.client.flushall()
            until(halted.is_engaged)
        until(lambda: halted.kinds().count("reasserted") >= 3)
        assert halted.kinds().count("reasserted") == 3
    finally:
        other.stop()


def test_a_release_by_hand_that_says_by_whom_and_when_is_not_fought(halted: Desk) -> None:
    released = {"enabled": "false", "by": "bo@jump2", "ts": str(int(time.time() * 1000) + 1000)}
    looks = count_looks(halted)
    halted.server.client.hset(KEY, mapping=released)
    until(lambda: len(looks) >= 3)
    assert not halted.is_engaged() and halted.file.read() is not None


def count_looks(desk: Desk) -> list[float]:
    """One entry for each look from now on."""
    looks: list[float] = []
    look = desk.runner.vigil._look

    async def counted(*arguments: Any) -> None:
        await look(*arguments)
        looks.append(time.monotonic())

    desk.runner.vigil._look = counted  # type: ignore[method-assign]
    return looks


def test_a_halt_that_redis_refused_is_engaged_as_soon_as_it_takes_it(desk: Desk) -> None:
    desk.server.client.config_set("maxmemory", "1")
    job = desk.engage()
    assert job.phase is Phase.FAILED
    assert not desk.flag()
    until(lambda: (latch := desk.runner.vigil.present) is not None and "OOM" in latch.trouble)
    until(lambda: "not_reasserted" in desk.kinds())
    desk.server.client.config_set("maxmemory", "0")
    until(desk.is_engaged)
    until(lambda: desk.kinds().count("reasserted") == 1)
    assert desk.kinds().count("not_reasserted") == 1
    latch = until(lambda: (found := desk.file.read()) and found.is_held and found)
    assert latch.losses == 0, "it was not lost: it had not been there"
    assert latch.wanted_ms is not None and latch.wanted_ms < latch.ts_ms == int((latch.restored_at or 0) * 1000)
    assert desk.flag()["ts"] == str(latch.ts_ms), "it counts from when it came into force"
    desk.server.client.flushall()
    until(desk.is_engaged)
    assert desk.flag()["ts"] == str(latch.ts_ms), "what was in force keeps its moment"


def test_a_replica_is_not_written_to(halted: Desk) -> None:
    client = halted.server.client
    client.execute_command("REPLICAOF", "127.0.0.1", "1")
    client.config_set("replica-read-only", "no")
    client.delete(KEY)
    until(lambda: "replica" in (halted.runner.vigil.present or never()).trouble)
    assert not halted.flag()
    client.execute_command("REPLICAOF", "NO", "ONE")
    until(halted.is_engaged)


def never() -> Latch:
    raise AssertionError("the latch is gone")


def test_the_next_cockpit_keeps_the_wish(halted: Desk) -> None:
    halted.runner.stop()
    halted.server.client.flushall()
    other = a_runner(halted.server.settings(), halted.state)
    other.start()
    try:
        other.jobs()
        until(halted.is_engaged)
    finally:
        other.stop()


def test_an_old_wish_that_nobody_watched_is_told_and_not_acted_on(desk: Desk) -> None:
    old_ms = int((time.time() - vigil_module.UNASKED_S - 60) * 1000)
    desk.file.write(Latch(desk.file.where, "asha@jump1", "last week", old_ms, is_held=True))
    desk.runner.jobs()
    until(lambda: "not done by itself" in (desk.runner.vigil.present or never()).trouble)
    assert not desk.flag()


def test_a_latch_about_another_redis_means_nothing_here(desk: Desk) -> None:
    desk.file.write(Latch("redis://elsewhere policy:kill_switch", "asha", "x", int(time.time() * 1000)))
    desk.runner.jobs()
    assert desk.runner.vigil.present is None


def test_a_release_that_was_read_back_lets_go(halted: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from actions.kill_switch import release

    monkeypatch.setattr(release, "_checks", lambda *_: ())
    runner, shown = halted.runner, seen(halted.server)
    plan = runner.prepare("kill_switch.release", {}, shown)
    job = runner.submit(plan, Confirmation(plan.digest, plan.phrase, "IBKR is back"), shown)
    assert halted.flag()["enabled"] == "false"
    assert halted.file.read() is not None, "not before it was read back"
    ended(runner, job)
    until(lambda: halted.file.read() is None)
    runner.jobs()
    assert runner.vigil.present is None
    until(lambda: "unlatched" in halted.kinds())
    looks = count_looks(halted)
    halted.server.client.delete(KEY)
    halted.engage("again")
    until(lambda: len(looks) >= 1)
    latch = halted.file.read()
    assert latch is not None and latch.reason == "again"


def test_a_newer_halt_is_not_let_go_of_by_an_older_release(desk: Desk) -> None:
    latch = Latch(desk.file.where, "asha", "x", 2000)
    desk.file.write(latch)
    assert desk.file.clear(1999) is None
    assert desk.file.read() == latch
    assert desk.file.clear(2000) == latch and desk.file.read() is None


def test_the_trouble_of_one_process_is_not_written_down(desk: Desk) -> None:
    latch = Latch(desk.file.where, "asha", "x", 1, trouble="OOM")
    desk.file.write(latch)
    assert desk.file.read() == replace(latch, trouble="")
    assert desk.file.file.stat().st_mode & 0o777 == 0o600
