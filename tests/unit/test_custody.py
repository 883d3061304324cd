"""A job is proven by one process: the cockpit and a worker that is just starting never write the same journal."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import threading
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from cockpit.clock import SystemClock
from cockpit.config import load
from cockpit.errors import JournalError
from cockpit.jobs import custody as custody_module
from cockpit.jobs import worker
from cockpit.jobs.custody import Custody
from cockpit.jobs.launch import settings_text
from cockpit.jobs.minutes import Minutes
from cockpit.jobs.record import Record
from cockpit.jobs.scribe import Scribe
from cockpit.jobs.worker import work
from cockpit.model.job import Phase
from cockpit.model.world import World
from cockpit.storage import disk
from cockpit.storage.attested import own_text
from cockpit.storage.audit import AuditLog
from cockpit.storage.jobs import JobStore, new_job_id
from cockpit.storage.journal import Entry, Journal
from tests.unit.healthy import NOW, SETTINGS
from tests.unit.test_approvals import ASHA, needs_root
from tests.unit.test_journal import WHO, a_plan, done, intent

SHORT_S = 0.3


class Launching:
    """A start of a worker that takes as long as it is told to."""

    def __init__(self, error: JournalError | None = None) -> None:
        self.has_begun, self.may_end = threading.Event(), threading.Event()
        self._error = error

    def __call__(self, *_: object) -> Any:
        self.has_begun.set()
        self.may_end.wait(10)
        if self._error is not None:
            raise self._error
        return None


def a_record(folder: Path, monkeypatch: pytest.MonkeyPatch, launching: Launching) -> tuple[Custody, Record]:
    monkeypatch.setattr(custody_module, "launch", launching)
    monkeypatch.setattr(custody_module, "DISK_WAIT_S", SHORT_S)
    monkeypatch.setattr(custody_module, "LAUNCH_WAIT_S", SHORT_S)
    store, scribe, clock = JobStore(folder / "jobs"), Scribe(), SystemClock()
    minutes = Minutes(AuditLog(folder), scribe, clock, WHO, World.SANDBOX, "test")
    record = Record(store, scribe, new_job_id(NOW, "kill_switch.engage"))
    custody = Custody(store, scribe, minutes, SETTINGS, clock)
    custody.take(record)
    record.write(*done()).result(5)
    return custody, record


async def handed_over(custody: Custody, record: Record, launching: Launching, here: list[str]) -> None:
    handing = asyncio.create_task(custody.hand_over(record))
    assert await asyncio.to_thread(launching.has_begun.wait, 5)
    await asyncio.wait({handing}, timeout=1.5 * SHORT_S)
    assert here == [], "a worker that is starting has it"
    launching.may_end.set()
    await handing


async def test_a_worker_that_starts_late_is_the_only_prover(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    launching, here = Launching(), list[str]()
    custody, record = a_record(tmp_path, monkeypatch, launching)

    async def prove_here(_: Record) -> None:
        here.append("proven here")

    monkeypatch.setattr(custody, "_prove_here", prove_here)
    await handed_over(custody, record, launching, here)
    assert (here, record.keep_here()) == ([], False)


async def test_a_worker_that_does_not_start_after_all_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launching, here = Launching(JournalError("the worker cannot be started")), list[str]()
    custody, record = a_record(tmp_path, monkeypatch, launching)

    async def prove_here(_: Record) -> None:
        here.append("proven here")

    monkeypatch.setattr(custody, "_prove_here", prove_here)
    await handed_over(custody, record, launching, here)
    assert (here, record.begin_launch()) == (["proven here"], False)


def test_a_step_whose_worker_is_starting_is_not_called_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    launching = Launching()
    custody, record = a_record(tmp_path, monkeypatch, launching)
    filed: Future[None] = Future()
    filed.set_result(None)
    monkeypatch.setattr(custody, "file_plan", lambda *_: filed)
    threading.Timer(1.5 * SHORT_S, launching.may_end.set).start()
    custody.delegate(record, a_plan())
    assert [entry.kind for entry in record.entries()][-1] == "step_done", "nothing was written after it"


def test_who_writes_a_journal_waits_for_who_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "LOCK_WAIT_S", SHORT_S)
    journal = Journal(tmp_path / "journal.jsonl")
    journal.append(done())
    before = journal.file.read_bytes()
    with journal.file.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(JournalError, match="locked"):
            journal.append([Entry(NOW, "done")])
        assert journal.file.read_bytes() == before
    journal.append([Entry(NOW, "done")])
    assert journal.entries()[-1].kind == "done"


@needs_root
@pytest.mark.parametrize(("owner", "launches"), [(0, 1), (ASHA, 0)])
async def test_only_ones_own_jobs_are_looked_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: int, launches: int
) -> None:
    """In a team's folder anybody can leave a job, and with it commands that its worker would run as us."""
    launched: list[Path] = []
    monkeypatch.setattr(custody_module, "launch", lambda folder, *_: launched.append(folder))
    store, scribe, clock = JobStore(tmp_path / "jobs"), Scribe(), SystemClock()
    custody = Custody(
        store, scribe, Minutes(AuditLog(tmp_path), scribe, clock, WHO, World.SANDBOX, "t"), SETTINGS, clock
    )
    job_id = new_job_id(clock.now(), "kill_switch.engage")
    store.create(job_id, [replace(entry, at=clock.now()) for entry in done()]).release()
    folder = store.folder(job_id)
    planted = structs.replace(SETTINGS, site="planted")
    (folder / "settings.json").write_text(settings_text(planted))
    (folder / "settings.json").chmod(0o660)
    os.chown(folder / "journal.jsonl", owner, -1)
    (job,) = custody.jobs()
    scribe.tell(lambda: None).result(5)
    assert len(launched) == launches
    assert ("only a cockpit of asha" in (job.error or "")) is not bool(launches)
    if launches:
        assert load(folder, own_text(folder / "settings.json")).site == SETTINGS.site, "what others may have written"
    else:
        with pytest.raises(JournalError, match="somebody else's job"):
            work(folder, SETTINGS, clock)


def test_only_what_nobody_else_can_have_written_is_acted_on(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs")
    store.create("1-x", done()).release()
    store.write("1-x", "plan.json", "{}")
    file = store.folder("1-x") / "plan.json"
    assert own_text(file) == "{}"
    file.chmod(0o660)
    with pytest.raises(JournalError, match="only its owner"):
        own_text(file)
    store.write("1-x", "plan.json", "{}")
    os.link(file, tmp_path / "another-name")
    with pytest.raises(JournalError, match="only its owner"):
        own_text(file)


@pytest.mark.parametrize(
    ("kinds", "phase", "words"),
    [
        (("submitted",), Phase.FAILED, "nothing was done: its worker ended with 1: Failed to connect to bus"),
        (("submitted", "working"), Phase.IN_DOUBT, "the cockpit ended before it did anything"),
        (("submitted", "working", "left_behind"), Phase.IN_DOUBT, "nobody could look what became of it"),
        (("submitted", "done"), Phase.DONE, ""),
    ],
)
def test_a_worker_that_could_not_begin_says_so_in_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kinds: tuple[str, ...], phase: Phase, words: str
) -> None:
    custody, record = a_record(tmp_path, monkeypatch, Launching())
    store, job_id = JobStore(tmp_path / "jobs"), new_job_id(NOW, "x.y")
    store.create(job_id, [replace(intent()[0], kind=kind) for kind in kinds]).release()
    (store.folder(job_id) / "worker.log").write_text("Traceback\nFailed to connect to bus\n\n")
    custody._lay_down(job_id, 1)
    job = store.job(job_id)
    assert job is not None and job.phase is phase
    assert words in f"{job.error or ''} {' '.join(job.notes)}"
    assert custody.job(record.id) is not None


@pytest.mark.parametrize("settings", ["{}", '{"site": "t", "root": "/", "state": null, "redis": null}'])
def test_a_worker_that_ends_with_an_error_journals_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: str
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(worker, "action_for", broken)
    store = JobStore(tmp_path / "jobs")
    store.create("1-x", intent()[:1]).release()
    store.write("1-x", "settings.json", settings)
    assert worker.main([str(store.folder("1-x")), str(store.folder("1-x") / "settings.json")])
    job = store.job("1-x")
    assert job is not None and job.phase is Phase.FAILED
    assert "nothing was done: its worker ended: " in (job.error or "")
