"""What a worker could not write into the audit, whoever comes next writes from its journal: all of it, and once."""

from __future__ import annotations

import asyncio
import fcntl
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from actions.feed import switch
from cockpit.clock import SystemClock
from cockpit.errors import JournalError
from cockpit.jobs import custody as custody_module
from cockpit.jobs import worker
from cockpit.jobs.custody import Custody
from cockpit.jobs.minutes import Minutes
from cockpit.jobs.outcomes import pay
from cockpit.jobs.scribe import Scribe
from cockpit.jobs.worked import LEFT_BEHIND, PLAN, work_through
from cockpit.model.world import World
from cockpit.storage import disk
from cockpit.storage.audit import AuditLog
from cockpit.storage.fold import fold
from cockpit.storage.jobs import JobStore
from cockpit.storage.journal import Entry
from cockpit.storage.plans import plan_to_json
from tests.unit.healthy import NOW, SETTINGS
from tests.unit.test_audit import draft
from tests.unit.test_journal import WHO, done, proofs
from tests.unit.test_worked import JOB, Left

END = Entry(NOW + 9, "failed", {"error": "not proven"})
KINDS = ["step_started", "step_done", "step_started", "step_done", "failed"]


@pytest.fixture
def left(tmp_path: Path) -> Left:
    found = Left(tmp_path)
    found.store.create(JOB, (*found.lines(), END)).release()
    return found


def log_of(left: Left) -> AuditLog:
    return AuditLog(left.store.folder(JOB).parent.parent)


def kinds(log: AuditLog) -> list[str]:
    return [record.kind for record in log.tail() if record.ref == JOB]


@contextmanager
def locked(log: AuditLog) -> Iterator[None]:
    """As a process that was stopped while it wrote keeps it."""
    log.append(draft())
    with log.file.open("rb+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def test_all_that_is_lacking_is_paid_once_and_says_that_it_is_late(left: Left) -> None:
    log = log_of(left)
    assert pay(left.store, log, [JOB]) == {JOB}
    assert pay(left.store, log, [JOB]) == {JOB}
    assert kinds(log) == KINDS
    found = [record for record in log.tail() if record.ref == JOB]
    assert all("[written late" in record.text for record in found)
    assert found[-1].text.startswith(f"{left.plan.title}: nothing proven. not proven")
    assert (found[-1].at, found[-1].who, log.verify().is_sound) == (NOW + 9, WHO, True)


def test_nothing_is_paid_of_what_the_worker_wrote_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The words that are looked for are those that the worker writes."""
    left = Left(tmp_path)
    entries = (*left.lines()[:5], Entry(NOW, "step_started", {"step": 1, "command": "write", "before": {}}))
    left.store.create(JOB, (*entries, Entry(NOW, LEFT_BEHIND))).release()
    left.store.write(JOB, PLAN, plan_to_json(left.plan))
    monkeypatch.setattr("actions.step.Step.settle_s", 0.1)
    job = fold(JOB, entries, is_held=True)
    assert job is not None
    entries = left.store.entries(JOB)
    asyncio.run(work_through(left.store, job, entries, switch, left.settings, SystemClock()))
    log = log_of(left)
    (written,) = [record for record in log.tail() if record.kind == "step_failed"]
    pay(left.store, log, [JOB])
    assert kinds(log).count("step_failed") == 1, written.text
    assert kinds(log)[-1] == "failed"


def test_only_the_end_is_paid_of_what_was_written_at_once(tmp_path: Path) -> None:
    store, log = JobStore(tmp_path / "jobs"), AuditLog(tmp_path)
    store.create(JOB, (*done(), *proofs(), Entry(NOW + 3, "done"))).release()
    pay(store, log, [JOB])
    assert kinds(log) == ["proven"]
    assert "survives a crash of Redis 1.0 s" in log.tail()[-1].text


@pytest.mark.parametrize("what", ["not over", "worked on", "not to be understood"])
def test_nothing_is_said_of_what_nobody_knows_the_end_of(left: Left, what: str) -> None:
    store, log, claim = left.store, log_of(left), None
    if what == "not over":
        store = JobStore(left.store.folder(JOB).parent.parent / "others")
        store.create(JOB, left.lines()).release()
    elif what == "worked on":
        claim = store.claim(JOB)
    else:
        (store.folder(JOB) / "journal.jsonl").write_bytes(Entry(NOW, "submitted", {}).to_line() + END.to_line())
    assert pay(store, log, [JOB]) == ({JOB} if what == "not to be understood" else set())
    assert kinds(log) == []
    if claim is not None:
        claim.release()


def test_two_that_pay_at_once_write_it_once(left: Left) -> None:
    context, log = multiprocessing.get_context("fork"), log_of(left)
    others = [context.Process(target=pay, args=(left.store, log, [JOB])) for _ in range(4)]
    for each in others:
        each.start()
    for each in others:
        each.join(20)
    assert kinds(log) == KINDS


def test_a_cockpit_pays_as_soon_as_the_audit_can_be_written(left: Left, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "LOCK_WAIT_S", 0.05)
    monkeypatch.setattr(custody_module, "PAY_S", 0.0)
    log, scribe, clock = log_of(left), Scribe(), SystemClock()
    custody = Custody(left.store, scribe, Minutes(log, scribe, clock, WHO, World.SANDBOX, "test"), SETTINGS, clock)
    with locked(log):
        custody.jobs()
        scribe.tell(lambda: None).result(10)
        assert kinds(log) == []
    custody.jobs()
    scribe.tell(lambda: None).result(10)
    assert kinds(log) == KINDS


def test_the_next_worker_pays_for_one_that_could_not(left: Left, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "LOCK_WAIT_S", 0.05)
    log, other = log_of(left), JOB.replace("0001", "0002")
    for job_id in (other, other.replace("0002", "0003")):
        left.store.create(job_id, left.lines()[:2]).release()

    async def fail(store: JobStore, job: object, *_: object) -> None:
        store.append(job.id, [END])  # type: ignore[attr-defined]

    monkeypatch.setattr(worker, "work_through", fail)
    with locked(log), pytest.raises(JournalError, match="locked"):
        worker.work(left.store.folder(other), left.settings, SystemClock())
    assert kinds(log) == []
    worker.work(left.store.folder(other.replace("0002", "0003")), left.settings, SystemClock())
    assert kinds(log) == KINDS
    assert [record.kind for record in log.tail() if record.ref == other] == ["failed"]
