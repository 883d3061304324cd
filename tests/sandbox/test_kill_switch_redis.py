"""The protective write against a real Redis that refuses, hangs or is gone, and against a disk that does."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from cockpit.errors import JournalError, Rejected
from cockpit.jobs import custody
from cockpit.jobs import runner as runner_module
from cockpit.jobs.planner import Planner
from cockpit.jobs.runner import Runner
from cockpit.model.job import Phase, StepState
from cockpit.model.plan import Confirmation, Verdict
from cockpit.model.sample import Sample
from cockpit.model.snapshot import Snapshot
from cockpit.model.states import KillSwitch
from cockpit.session import Session
from cockpit.storage.audit import AuditLog
from cockpit.storage.jobs import Claim, JobStore
from tests.patience import PATIENCE_S
from tests.sandbox.lone_redis import LoneRedis, a_runner, a_snapshot, end_workers, lone_redis, until

KEY = "policy:kill_switch"
ENGAGE = "kill_switch.engage"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LoneRedis]:
    with lone_redis(tmp_path) as running:
        yield running
        end_workers(tmp_path / "state")


@pytest.fixture
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what is decided before the proof: spares a process a run."""

    def launch(_: Path, claim: Claim, systemd: str) -> Any:
        claim.release()

        class Ended:
            def poll(self) -> int:
                return 0

        return Ended()

    monkeypatch.setattr(custody, "launch", launch)


def warm(runner: Runner, server: LoneRedis) -> Runner:
    runner.start()
    until(lambda: len(server.client.client_list()) > 1)
    return runner


def engage(runner: Runner, server: LoneRedis) -> Any:
    shown = a_snapshot(server.settings())
    plan = runner.prepare(ENGAGE, {"reason": "test"}, shown)
    return runner.submit(plan, Confirmation(plan.digest), shown)


def kinds(state: Path) -> list[str]:
    return [record.kind for record in AuditLog(state).tail()]


@pytest.mark.usefixtures("no_worker")
def test_every_halt_stands_in_redis_and_in_the_audit(server: LoneRedis, tmp_path: Path) -> None:
    runner = warm(a_runner(server.settings(), tmp_path / "state"), server)
    shown = a_snapshot(server.settings())
    plan = runner.prepare(ENGAGE, {}, shown)
    for _ in range(10):
        server.client.delete(KEY)
        runner.submit(plan, Confirmation(plan.digest), shown)
        assert server.client.hget(KEY, "enabled") == "true"
    until(lambda: kinds(tmp_path / "state").count("confirmed") == 10)
    runner.stop()
    assert AuditLog(tmp_path / "state").verify().is_sound
    # Previewed once, however often the dialog refreshes.
    assert kinds(tmp_path / "state").count("previewed") == 1


@pytest.mark.usefixtures("no_worker")
def test_intent_stands_on_the_disk_before_the_act(
    server: LoneRedis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "PROTECT_WAIT_S", 10.0)  # however slow this machine's disk is
    runner = warm(a_runner(server.settings(), tmp_path / "state"), server)
    job = engage(runner, server)
    folder = tmp_path / "state" / "jobs" / job.id
    until(lambda: (folder / "settings.json").exists() and "step_done" in kinds(tmp_path / "state"))
    until(lambda: len(JobStore(tmp_path / "state" / "jobs").entries(job.id)) == 4)
    runner.stop()
    entries = JobStore(tmp_path / "state" / "jobs").entries(job.id)
    assert [entry.kind for entry in entries] == ["submitted", "confirmed", "step_started", "step_done"]
    assert kinds(tmp_path / "state") == ["previewed", "confirmed", "step_done"]
    assert (folder / "plan.json").exists()
    record = AuditLog(tmp_path / "state").tail(1)[0]
    assert record.text.startswith("HSET policy:kill_switch enabled true reason test by ")
    assert record.ref == job.id


@pytest.mark.parametrize(
    ("breaking", "words"),
    [
        (("CONFIG", "SET", "maxmemory", "1"), "OOM"),
        (("REPLICAOF", "127.0.0.1", "1"), "READONLY"),
    ],
)
def test_a_refusal_is_told_in_redis_own_words(
    server: LoneRedis, tmp_path: Path, breaking: tuple[str, ...], words: str
) -> None:
    runner = warm(a_runner(server.settings(), tmp_path / "state"), server)
    server.client.execute_command(*breaking)
    job = engage(runner, server)
    assert job.phase is Phase.FAILED
    assert words in (job.error or "")
    told = [note for note in job.notes if "on disk" not in note]
    assert told[0].startswith("NOT HALTED by this: Redis refused it")
    assert "kubectl scale deploy/router --replicas=0" in told[1]
    assert "call the brokers (IBKR)" in told[2]
    until(lambda: "failed" in kinds(tmp_path / "state"))
    runner.stop()


def test_misconf_is_told_in_redis_own_words(server: LoneRedis, tmp_path: Path) -> None:
    # A save that cannot be made: its folder is gone.
    client = server.client
    client.config_set("appendonly", "no")
    client.config_set("save", "3600 1")
    hole = tmp_path / "hole"
    hole.mkdir()
    client.config_set("dir", str(hole))
    hole.rmdir()
    client.set("x", "1")
    client.bgsave()
    until(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err")
    runner = warm(a_runner(server.settings(), tmp_path / "state"), server)
    job = engage(runner, server)
    assert (job.phase, "MISCONF" in (job.error or "")) == (Phase.FAILED, True)
    runner.stop()


@pytest.mark.usefixtures("no_worker")
def test_a_restarted_redis_gets_the_flag_over_a_fresh_connection(server: LoneRedis, tmp_path: Path) -> None:
    runner = warm(a_runner(server.settings(), tmp_path / "state"), server)
    server.kill()
    server.start()
    job = engage(runner, server)
    assert job.steps[0].state is StepState.DONE
    assert server.client.hget(KEY, "enabled") == "true"
    runner.stop()


def test_a_redis_that_is_gone_fails_at_once(server: LoneRedis, tmp_path: Path) -> None:
    runner = warm(a_runner(server.settings(timeout_s=PATIENCE_S), tmp_path / "state"), server)
    server.kill()
    started = time.monotonic()
    job = engage(runner, server)
    assert time.monotonic() - started < PATIENCE_S / 2
    assert job.phase is Phase.FAILED
    assert "refused the connection" in (job.error or "")
    assert runner.jobs()[0].phase is Phase.FAILED
    runner.stop()


def test_a_redis_that_hangs_leaves_a_doubt_that_is_resolved_when_it_wakes(server: LoneRedis, tmp_path: Path) -> None:
    runner = warm(a_runner(server.settings(timeout_s=0.5), tmp_path / "state"), server)
    server.signal(signal.SIGSTOP)
    started = time.monotonic()
    job = engage(runner, server)
    assert time.monotonic() - started < PATIENCE_S
    assert (job.phase, job.steps[0].state) == (Phase.RUNNING, StepState.UNKNOWN)
    assert any("did not say whether it took it" in note for note in job.notes)
    until(lambda: (found := runner.job(job.id)) is not None and found.phase is Phase.VERIFYING)
    server.signal(signal.SIGCONT)
    # Either may come true: the write lay in the socket, or died with the connection. The journal must tell which.
    found = until(lambda: (now := runner.job(job.id)) and now.steps[0].state is not StepState.UNKNOWN and now)
    assert found.steps[0].state in (StepState.DONE, StepState.FAILED)
    until(lambda: server.client.hget(KEY, "enabled") == "true")
    runner.stop()


@pytest.mark.usefixtures("no_worker")
def test_a_hanging_connection_is_overtaken_by_a_fresh_one(
    server: LoneRedis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cockpit.clients.redis_write import RedisWriter

    runner = warm(a_runner(server.settings(), tmp_path / "state"), server)
    write = RedisWriter.set_kill_switch
    calls = []

    async def first_hangs(self: RedisWriter, *arguments: Any) -> None:
        calls.append(arguments)
        if len(calls) == 1:
            import asyncio

            await asyncio.sleep(3600)
        await write(self, *arguments)

    monkeypatch.setattr(RedisWriter, "set_kill_switch", first_hangs)
    job = engage(runner, server)
    assert job.steps[0].state is StepState.DONE
    runner.stop()


class HungStore(JobStore):
    """A disk that does not answer until it is let go."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.may_go = threading.Event()

    def create(self, *arguments: Any) -> Claim:
        self.may_go.wait(3600)
        return super().create(*arguments)


def test_a_disk_that_hangs_does_not_hold_up_the_halt(server: LoneRedis, tmp_path: Path) -> None:
    store = HungStore(tmp_path / "state" / "jobs")
    runner = warm(a_runner(server.settings(), tmp_path / "state", store=store), server)
    job = engage(runner, server)
    assert server.client.hget(KEY, "enabled") == "true"
    assert job.notes[0] == "sent before its intent was on disk (the disk did not answer in 30 ms)"
    assert runner.jobs()[0].steps[0].state is StepState.DONE
    # The proof does not wait for the disk either.
    until(lambda: (now := runner.job(job.id)) is not None and now.phase is Phase.VERIFYING)
    store.may_go.set()
    until(lambda: len(store.entries(job.id)) >= 5)
    assert [entry.kind for entry in store.entries(job.id)][:4] == ["submitted", "confirmed", "step_started", "note"]
    until(lambda: any(job.notes[0] in record.text for record in AuditLog(tmp_path / "state").tail()))
    runner.stop()


class FullDisk(AuditLog):
    is_full = True

    def append(self, draft: Any) -> Any:
        if self.is_full:
            raise JournalError("cannot write audit.jsonl: no space left on device")
        return super().append(draft)


@pytest.mark.usefixtures("no_worker")
def test_a_state_folder_that_cannot_be_made_does_not_hold_up_the_halt(server: LoneRedis) -> None:
    settings = structs.replace(server.settings(), state=Path("/proc/nope"))
    session = Session.open(settings)
    plan = session.prepare(ENGAGE, {"reason": "test"}).result(PATIENCE_S)
    job = session.submit(plan, Confirmation(plan.digest)).result(PATIENCE_S)
    assert server.client.hget(KEY, "enabled") == "true"
    assert "sent before its intent was on disk" in job.notes[0]
    checks = session.prepare(ENGAGE, {}).result(PATIENCE_S).checks
    (journal,) = [check for check in checks if check.name == "journal"]
    assert journal.verdict is Verdict.WARN and "set `state:`" in journal.detail
    session.stop()


@pytest.mark.usefixtures("no_worker")
def test_a_full_disk_does_not_hold_up_the_halt_and_is_paid_back(server: LoneRedis, tmp_path: Path) -> None:
    log = FullDisk(tmp_path / "state")
    runner = warm(a_runner(server.settings(), tmp_path / "state", log=log), server)
    job = engage(runner, server)
    assert server.client.hget(KEY, "enabled") == "true"
    assert "sent before its intent was on disk" in job.notes[0]
    plan = runner.prepare(ENGAGE, {}, a_snapshot(server.settings()))
    assert any(check.name == "journal" for check in plan.checks)
    log.is_full = False
    runner.note("opened", "after")
    until(lambda: "opened" in kinds(tmp_path / "state"))
    assert kinds(tmp_path / "state") == ["previewed", "confirmed", "step_done", "previewed", "opened"]
    assert "written late" in log.tail()[1].text
    assert "sent before its intent was on disk (cannot write audit.jsonl" in log.tail()[2].text
    assert log.verify().is_sound
    runner.stop()


def test_a_release_is_not_done_when_its_intent_cannot_be_written(
    server: LoneRedis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from actions.kill_switch import release

    server.client.hset(KEY, "enabled", "true")
    log = FullDisk(tmp_path / "state")
    monkeypatch.setattr(release, "_checks", lambda *_: ())
    runner = warm(a_runner(server.settings(), tmp_path / "state", log=log), server)
    shown = seen(server)
    plan = runner.prepare("kill_switch.release", {}, shown)
    until(lambda: any(check.name == "journal" for check in runner.prepare("kill_switch.release", {}, shown).checks))
    confirmation = Confirmation(plan.digest, plan.phrase, "all well")
    with pytest.raises(Rejected, match="no space left"):
        runner.submit(plan, confirmation, shown)
    monkeypatch.setattr(Planner, "_journal_checks", lambda *_: ())
    with pytest.raises(JournalError, match="not done"):
        runner.submit(plan, confirmation, shown)
    assert server.client.hget(KEY, "enabled") == "true"
    runner.stop()


def seen(server: LoneRedis) -> Snapshot:
    """A snapshot that shows the kill switch as it stands."""
    found = server.client.hgetall(KEY)
    since = int(found["ts"]) / 1000 if "ts" in found else None
    switch = KillSwitch(found.get("enabled") == "true", bool(found), found.get("reason"), found.get("by"), since)
    return replace(a_snapshot(server.settings()), kill_switch=Sample.good(switch, time.time(), 0.001))


@pytest.mark.usefixtures("no_worker")
def test_only_the_halt_that_was_seen_is_released(
    server: LoneRedis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from actions.kill_switch import release

    monkeypatch.setattr(release, "_checks", lambda *_: ())
    ours = {"enabled": "true", "by": "asha@jump1", "reason": "IBKR down", "ts": "1700000000123"}
    theirs = {**ours, "by": "risk-manager", "reason": "drawdown", "ts": "1700000009000"}
    server.client.hset(KEY, mapping=ours)
    runner = warm(a_runner(server.settings(), tmp_path / "state"), server)
    shown = seen(server)
    plan = runner.prepare("kill_switch.release", {}, shown)
    confirmation = Confirmation(plan.digest, plan.phrase, "IBKR is back")
    # Halted anew since, and the snapshot shows it: the plan is another.
    server.client.hset(KEY, mapping=theirs)
    with pytest.raises(Rejected, match="no longer what would be done"):
        runner.submit(plan, confirmation, seen(server))
    # Halted anew within the last second, so that no snapshot shows it: Redis itself compares.
    job = runner.submit(plan, confirmation, shown)
    assert (job.phase, "no longer the one that was seen" in (job.error or "")) == (Phase.FAILED, True)
    assert server.client.hgetall(KEY) == theirs
    server.client.hset(KEY, mapping=ours)
    released = runner.submit(plan, confirmation, shown)
    assert (released.steps[0].state, server.client.hget(KEY, "enabled")) == (StepState.DONE, "false")
    runner.stop()


@pytest.mark.usefixtures("no_worker")
def test_what_is_refused_is_in_the_audit_and_changes_nothing(server: LoneRedis, tmp_path: Path) -> None:
    runner = warm(a_runner(server.settings(), tmp_path / "state"), server)
    shown = a_snapshot(server.settings())
    plan = runner.prepare("kill_switch.release", {}, shown)
    with pytest.raises(Rejected, match="typed exactly"):
        runner.submit(plan, Confirmation(plan.digest, "start trading", "please"), shown)
    with pytest.raises(Rejected, match="unknown: nothing read yet"):
        runner.submit(plan, Confirmation(plan.digest, plan.phrase, "please"), shown)
    with pytest.raises(Rejected, match="not this plan"):
        runner.submit(plan, Confirmation("0" * 64, plan.phrase, "please"), shown)
    until(lambda: kinds(tmp_path / "state").count("refused") == 3)
    assert not server.client.exists(KEY)
    assert runner.jobs() == ()
    runner.stop()


def test_only_what_somebody_saw_counts_as_previewed(server: LoneRedis, tmp_path: Path) -> None:
    runner = a_runner(server.settings(), tmp_path / "state")
    shown = a_snapshot(server.settings())
    asked = runner.prepare(ENGAGE, {}, shown, is_shown=False)
    assert asked.checks
    runner.note("opened", "after")
    until(lambda: "opened" in kinds(tmp_path / "state"))
    assert kinds(tmp_path / "state") == ["opened"]
    assert runner.prepare(ENGAGE, {}, shown).digest == asked.digest
    until(lambda: kinds(tmp_path / "state") == ["opened", "previewed"])
    runner.stop()
