"""A worker that died, at each line of its journal: what is said is true, and nothing is done by the one after it."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest

from actions.feed import switch
from actions.step import Step
from cockpit.clock import SystemClock
from cockpit.config import Settings
from cockpit.errors import JournalError, Rejected
from cockpit.jobs import journaling
from cockpit.jobs.worked import LEFT_BEHIND, PLAN, work_through
from cockpit.model.job import Job, Phase, StepState
from cockpit.model.plan import Confirmation, Plan
from cockpit.model.sample import Sample
from cockpit.model.snapshot import Snapshot
from cockpit.model.states import Registry
from cockpit.model.world import World
from cockpit.storage.fold import fold
from cockpit.storage.jobs import JobStore
from cockpit.storage.journal import Entry
from cockpit.storage.plans import plan_to_json
from cockpit.storage.targets import Holder, Targets
from tests.unit.healthy import NOW
from tests.unit.test_journal import WHO

BEFORE = "primary_feed: yahoo\nbackup_feed: moneycontrol\n"
AFTER = "primary_feed: moneycontrol\nbackup_feed: yahoo\n"
JOB = "20260401-000000-000-feed.switch-0001"
NEVER, STARTED, DONE, FAILED = StepState.WAITING, StepState.RUNNING, StepState.DONE, StepState.FAILED


class Left:
    """A job folder as a dead worker leaves it, on a platform that is only a registry."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "registry.yaml"
        self.file.write_text(BEFORE)
        self.settings = Settings(site="test", world=World.SANDBOX, root=folder, redis=None)
        self.store = JobStore(folder / "state" / "jobs")
        self.plan = self._plan()

    def _plan(self) -> Plan:
        clock = SystemClock()
        registry = Sample.good(Registry("yahoo", "moneycontrol", NOW), clock.now(), 0.0)
        snapshot = replace(Snapshot(0, clock.now(), World.SANDBOX, "test"), registry=registry)
        return switch.plan(self.settings, WHO, {}, snapshot, clock.now())

    def lines(self) -> tuple[Entry, ...]:
        """The whole journal of a worker that came to its end."""
        plan = replace(self.plan, proof_deadline_s=0.5)
        submitted = journaling.submission(plan, Confirmation(plan.digest), WHO, "", NOW)
        feeds = {"old": "yahoo", "new": "moneycontrol"}
        return (
            *submitted,
            Entry(NOW, "working", {"pid": 1}),
            Entry(NOW, "step_started", {"step": 0, "command": "cp", "before": feeds}),
            Entry(NOW, "step_done", {"step": 0, "detail": "kept", "facts": {}}),
            Entry(NOW, "step_started", {"step": 1, "command": "write", "before": {}}),
            Entry(NOW, "step_done", {"step": 1, "detail": "written", "facts": {}}),
            Entry(NOW, "verifying", {"pid": 1, "deadline_s": 0.5}),
        )

    def written(self) -> tuple[int, int, int]:
        """Which file, when and how long; reading it changes none of these."""
        status = self.file.stat()
        return status.st_ino, status.st_mtime_ns, status.st_size

    def looked_after(self, count: int) -> Job:
        """What the next worker says after these lines."""
        entries = (*self.lines()[:count], Entry(NOW, LEFT_BEHIND))
        self.store.create(JOB, entries).release()
        self.store.write(JOB, PLAN, plan_to_json(self.plan))
        job = fold(JOB, entries, is_held=True)
        assert job is not None
        asyncio.run(work_through(self.store, job, entries, switch, self.settings, SystemClock()))
        found = self.store.job(JOB)
        assert found is not None
        return found


@pytest.fixture
def left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Left:
    monkeypatch.setattr(Step, "settle_s", 0.1)
    return Left(tmp_path)


@pytest.mark.parametrize(
    ("count", "is_written", "phase", "states", "words"),
    [
        (2, False, Phase.FAILED, [NEVER, NEVER], "nothing was done"),
        (3, False, Phase.FAILED, [NEVER, NEVER], "nothing was done"),
        (4, False, Phase.FAILED, [FAILED, NEVER], "the registry is untouched"),
        (5, False, Phase.FAILED, [DONE, NEVER], "stopped after 1 of 2 steps; not done: registry.yaml changed"),
        (6, False, Phase.FAILED, [DONE, FAILED], "the registry still names yahoo"),
        # Written, but without Redis nobody sees ticks: what cannot be proven stays in doubt.
        (6, True, Phase.IN_DOUBT, [DONE, DONE], "ticks arrive from it"),
        (7, True, Phase.IN_DOUBT, [DONE, DONE], "ticks arrive from it"),
        (8, True, Phase.IN_DOUBT, [DONE, DONE], "ticks arrive from it"),
    ],
)
def test_at_each_line(
    left: Left, count: int, is_written: bool, phase: Phase, states: list[StepState], words: str
) -> None:
    left.file.write_text(AFTER if is_written else BEFORE)
    written = left.written()
    job = left.looked_after(count)
    assert (job.phase, [step.state for step in job.steps]) == (phase, states)
    assert words in (job.error or "")
    if is_written:
        assert job.proofs[0].state is DONE and "NEXT: Space f w restarts ws-gateway" in job.proofs[0].detail
    assert left.written() == written, "the one who only looks writes nothing"
    kinds = [entry.kind for entry in left.store.entries(JOB)]
    assert kinds.count("step_started") == sum(line.kind == "step_started" for line in left.lines()[:count])


def test_a_plan_that_was_changed_after_it_was_confirmed_is_not_done(left: Left) -> None:
    other = replace(left.plan, parameters=(("to", "elsewhere"),))
    entries = left.lines()[:2]
    left.store.create(JOB, entries).release()
    left.store.write(JOB, PLAN, plan_to_json(other))
    job = fold(JOB, entries, is_held=True)
    assert job is not None
    with pytest.raises(JournalError, match="not the one that was confirmed"):
        asyncio.run(work_through(left.store, job, entries, switch, left.settings, SystemClock()))
    assert left.file.read_text() == BEFORE


def test_fresh_evidence_that_forbids_it_is_the_last_word(left: Left, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cockpit.jobs.perform.PATIENCE_S", 0.0)
    entries = left.lines()[:2]
    left.store.create(JOB, entries).release()
    left.store.write(JOB, PLAN, plan_to_json(left.plan))
    job = fold(JOB, entries, is_held=True)
    assert job is not None
    asyncio.run(work_through(left.store, job, entries, switch, left.settings, SystemClock()))
    ended = left.store.job(JOB)
    assert ended is not None and ended.phase is Phase.FAILED
    assert "nothing was done: feed moneycontrol: unknown" in (ended.error or "")
    assert left.file.read_text() == BEFORE


def test_a_target_is_held_by_one_and_named(tmp_path: Path) -> None:
    targets = Targets(tmp_path / "targets")
    assert targets.holder("deploy/x") is None
    descriptor = targets.take("deploy/x", Holder("job-1", "asha@jump1", "Restart\x1b x"))
    with pytest.raises(Rejected, match="asha@jump1 is at it: Restart␛ x \\(job job-1\\)"):
        targets.take("deploy/x", Holder("job-2", "ben@jump1", "Restart x"))
    os.close(descriptor)
    assert targets.holder("deploy/x") is None
