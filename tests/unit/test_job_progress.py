"""How far a job is, as its journal tells it, and what is locked meanwhile."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from cockpit.errors import Rejected
from cockpit.jobs import journaling
from cockpit.model.job import Job, Phase
from cockpit.model.plan import Confirmation
from cockpit.storage.fold import fold
from cockpit.storage.journal import Entry
from cockpit.storage.plans import plan_from_json, plan_to_json
from cockpit.storage.targets import Holder, Targets
from tests.unit.healthy import NOW
from tests.unit.test_journal import WHO, a_plan

TOLD = Entry(NOW, "step_progress", {"step": 0, "detail": "5 of 10", "fraction": 0.5})


def folded(*entries: Entry) -> Job:
    plan = replace(a_plan(), is_cancellable=True, usually_s=3.5, locks=("book",))
    job = fold("j", (*journaling.submission(plan, Confirmation(plan.digest), WHO, "", NOW), *entries), is_held=True)
    assert job is not None
    return job


def test_a_fraction_stands_while_the_step_runs_and_goes_with_its_end() -> None:
    running = folded(TOLD).steps[0]
    assert (running.fraction, running.detail) == (0.5, "5 of 10")
    ended = folded(TOLD, Entry(NOW, "step_done", {"step": 0, "detail": "all"})).steps[0]
    assert (ended.fraction, ended.detail) == (None, "all")


def test_a_job_says_whether_it_may_be_stopped_and_who_asked() -> None:
    job = folded(Entry(NOW, "cancel", {"by": "ben@jump1"}), Entry(NOW + 1, "cancelled", {"error": "1 of 2 done"}))
    assert (job.is_cancellable, job.cancelled_by, job.usually_s) == (True, "ben@jump1", 3.5)
    assert (job.phase, job.phase.is_over, job.error) == (Phase.CANCELLED, True, "1 of 2 done")


def test_locks_and_times_go_through_the_file_and_only_locks_into_the_digest() -> None:
    plan = replace(a_plan(), locks=("book", "a"), usually_s=2.0, is_cancellable=True)
    read = plan_from_json(plan_to_json(plan))
    assert (read, read.digest) == (plan, replace(a_plan(), locks=("book", "a")).digest)
    assert read.digest != a_plan().digest, "what else is kept out meanwhile is a part of what is confirmed"
    assert read.held == tuple(sorted(("a", "book", plan.target)))


def test_all_locks_or_none(tmp_path: Path) -> None:
    targets, mine = Targets(tmp_path / "targets"), Holder("1", "asha@jump1", "Replay")
    held = targets.take_all(("book", "ledger.db"), mine)
    with pytest.raises(Rejected, match="asha@jump1 is at it: Replay"):
        targets.take_all(("a", "book", "redis"), Holder("2", "ben@jump1", "Restart"))
    assert (targets.holder("a"), targets.holder("redis"), targets.holder("book")) == (None, None, mine)
    for descriptor in held:
        os.close(descriptor)
    assert targets.holder("book") is None
    with targets.held(("book",), mine):
        assert targets.holder("book") == mine
    assert targets.holder("book") is None
