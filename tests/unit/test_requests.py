"""Stopping a job, and taking somebody's word for one in doubt."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from actions.script import scenarios
from cockpit.clock import SystemClock
from cockpit.config import ScriptsPart, Settings
from cockpit.errors import JournalError, Rejected
from cockpit.jobs import journaling
from cockpit.jobs.minutes import Minutes
from cockpit.jobs.requests import Requests
from cockpit.jobs.scribe import Scribe
from cockpit.jobs.worked import PLAN, work_through
from cockpit.model.job import Job, Phase, StepState
from cockpit.model.plan import Confirmation, Plan
from cockpit.model.snapshot import Snapshot
from cockpit.model.world import World
from cockpit.parts import parsed
from cockpit.storage.audit import AuditLog
from cockpit.storage.cancelling import REQUEST, requested_by
from cockpit.storage.fold import fold
from cockpit.storage.jobs import Claim, JobStore
from cockpit.storage.journal import Entry
from cockpit.storage.plans import plan_to_json
from tests.unit.healthy import NOW
from tests.unit.test_journal import WHO

JOB = "20260401-000000-000-script.scenarios-0001"


class Desk:
    """A job that computes nothing, on no platform, and somebody beside it."""

    def __init__(self, folder: Path) -> None:
        self.settings = parsed(Settings, {"site": "t", "world": "SANDBOX", "root": folder, "redis": None})
        self.store = JobStore(folder / "state" / "jobs")
        self.log = AuditLog(folder / "state")
        minutes = Minutes(self.log, Scribe(), SystemClock(), WHO, World.SANDBOX, "t")
        self.requests = Requests(self.store, minutes, WHO, SystemClock())

    def plan(self, **scripts: Any) -> Plan:
        """Of whatever program stands in for the scenarios."""
        self.settings = structs.replace(self.settings, scripts=parsed(ScriptsPart, scripts))
        snapshot = Snapshot(0, NOW, World.SANDBOX, "t")
        return replace(scenarios.plan(self.settings, WHO, {}, snapshot, NOW), proof_deadline_s=0.1)

    def submit(self, plan: Plan, *more: Entry) -> Claim:
        entries = (*journaling.submission(plan, Confirmation(plan.digest), WHO, "", NOW), *more)
        claim = self.store.create(JOB, entries)
        self.store.write(JOB, PLAN, plan_to_json(plan))
        return claim

    async def work(self) -> Phase:
        entries = self.store.entries(JOB)
        job = fold(JOB, entries, is_held=True)
        assert job is not None
        return await work_through(self.store, job, entries, scenarios, self.settings, SystemClock())

    def job(self) -> Job:
        job = self.store.job(JOB)
        assert job is not None
        return job

    def audited(self) -> list[str]:
        return [record.kind for record in self.log.tail()]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


async def test_a_running_program_is_stopped_and_it_is_said_what_was_done(desk: Desk) -> None:
    desk.submit(desk.plan(scenarios=("sh", "-c", "echo at work; exec sleep 600")))
    working = asyncio.ensure_future(desk.work())
    async with asyncio.timeout(60.0):
        while desk.job().steps[0].detail != "at work":
            await asyncio.sleep(0.05)
    asked = await asyncio.to_thread(desk.requests.cancel, JOB)
    assert asked.cancelled_by == WHO.label
    assert await working is Phase.CANCELLED
    job = desk.job()
    assert (job.phase, job.steps[0].state) == (Phase.CANCELLED, StepState.FAILED)
    assert job.error == (
        f"stopped by {WHO.label}; done: nothing; begun: scenarios computed: stopped before its end: at work"
    )
    assert "cancel" in desk.audited()
    with pytest.raises(Rejected, match="is over: cancelled"):
        desk.requests.cancel(JOB)


async def test_a_job_that_was_stopped_before_it_began_does_nothing(desk: Desk) -> None:
    claim = desk.submit(desk.plan(scenarios=("touch", "done")))
    desk.requests.cancel(JOB)
    claim.release()
    assert await desk.work() is Phase.CANCELLED
    assert desk.job().error == f"stopped by {WHO.label}; done: nothing; not done: scenarios computed"
    assert not (desk.settings.root / "done").exists()


def test_what_does_harm_half_way_is_not_stopped(desk: Desk) -> None:
    claim = desk.submit(replace(desk.plan(), is_cancellable=False))
    with pytest.raises(Rejected, match="cannot be stopped half-way"):
        desk.requests.cancel(JOB)
    claim.release()
    with pytest.raises(Rejected, match="nobody works on"):
        desk.requests.cancel(JOB)
    with pytest.raises(Rejected, match="there is no job"):
        desk.requests.cancel("../x")
    assert not (desk.store.folder(JOB) / REQUEST).exists() and requested_by(desk.store.folder(JOB)) is None


def test_a_wish_that_the_disk_did_not_take_is_written_at_the_next_press(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise JournalError("no space left")

    claim = desk.submit(desk.plan())
    with monkeypatch.context() as patch:
        patch.setattr(JobStore, "write", full)
        with pytest.raises(JournalError, match="no space left"):
            desk.requests.cancel(JOB)
    assert desk.requests.cancel(JOB).cancelled_by == WHO.label
    assert requested_by(desk.store.folder(JOB)) == WHO.label
    claim.release()


@pytest.mark.parametrize(("is_done", "phase", "word"), [(True, Phase.DONE, "done"), (False, Phase.FAILED, "not done")])
def test_a_word_ends_the_doubt_and_stays_a_word(desk: Desk, is_done: bool, phase: Phase, word: str) -> None:
    desk.submit(desk.plan(), Entry(NOW + 1, "in_doubt", {"error": "nobody saw it"})).release()
    with pytest.raises(Rejected, match="a reason is needed"):
        desk.requests.resolve(JOB, is_done, "  ")
    job = desk.requests.resolve(JOB, is_done, "seen at the broker")
    assert (job.phase, job.resolved_by) == (phase, WHO.label)
    assert job.error == (
        f"{word} by the word of {WHO.label}, not proven: seen at the broker (in doubt because: nobody saw it)"
    )
    assert "resolved" in desk.audited()
    with pytest.raises(Rejected, match="it is not in doubt"):
        desk.requests.resolve(JOB, is_done, "again")


def test_what_the_audit_does_not_take_is_done_all_the_same_and_said(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise JournalError("no space left")

    claim = desk.submit(desk.plan())
    monkeypatch.setattr(AuditLog, "append", full)
    with pytest.raises(JournalError, match="it was told to stop, but the audit does not say so yet: no space left"):
        desk.requests.cancel(JOB)
    assert desk.job().cancelled_by == WHO.label
    claim.release()
    with pytest.raises(JournalError, match="the word is in its journal, but the audit"):
        desk.requests.resolve(JOB, True, "seen")
    assert desk.job().resolved_by == WHO.label


def test_a_job_that_runs_is_nobodys_to_resolve(desk: Desk) -> None:
    claim = desk.submit(desk.plan())
    with pytest.raises(Rejected, match="somebody works on it"):
        desk.requests.resolve(JOB, True, "it must be")
    claim.release()
    assert desk.requests.resolve(JOB, False, "its worker is dead").phase is Phase.FAILED


def test_a_mistake_in_the_audit_is_said_and_keeps_no_later_record_from_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mistaken(*_: object) -> None:
        raise RuntimeError("never thought of")

    minutes = Minutes(desk.log, Scribe(), SystemClock(), WHO, World.SANDBOX, "t")
    with monkeypatch.context() as patch:
        patch.setattr(AuditLog, "append", mistaken)
        with pytest.raises(JournalError, match="never thought of"):
            minutes.write("confirmed", "first").result(30)
    assert minutes.error == "RuntimeError: never thought of" and minutes.owed == 1
    minutes.write("confirmed", "second").result(30)
    assert [record.text.partition(" [")[0] for record in desk.log.tail()] == ["first", "second"]
    assert minutes.error is None
