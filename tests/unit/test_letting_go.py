"""A release that was read back is the last word on its halt: no latch that was left behind engages it again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock, MagicMock

import pytest

from actions.kill_switch.intent import Write
from actions.kill_switch.proofs import DURABLE, FLOWING, READ_BACK
from cockpit.clock import SystemClock
from cockpit.errors import JournalError
from cockpit.jobs import custody as custody_module
from cockpit.jobs import worker
from cockpit.jobs.custody import Custody
from cockpit.jobs.minutes import Minutes
from cockpit.jobs.record import Record
from cockpit.jobs.scribe import Scribe
from cockpit.jobs.vigil import Vigil
from cockpit.model.job import Phase
from cockpit.model.latch import Latch
from cockpit.model.world import World
from cockpit.storage.audit import AuditLog
from cockpit.storage.jobs import JobStore
from cockpit.storage.journal import Entry
from cockpit.storage.latches import LatchFile
from tests.unit.healthy import NOW, SETTINGS
from tests.unit.test_journal import WHO, intent

ID = "20260401-194412-381-kill_switch.release-9f3a"
PROOFS = [READ_BACK, DURABLE, FLOWING]


@pytest.fixture
def file(tmp_path: Path) -> LatchFile:
    tmp_path.chmod(0o700)
    found = LatchFile(tmp_path, SETTINGS.redis)
    found.write(Latch(found.where, "asha@jump1", "IBKR is down", 1000, True))
    return found


def release(where: str, ts_ms: int = 2000, read_back: str = "done", enabled: bool = False) -> list[Entry]:
    """The journal of a release that was written, its key seen as told, and nothing of what comes later."""
    submitted, confirmed, _ = intent()
    submitted = replace(submitted, facts={**submitted.facts, "action": "kill_switch.release", "proofs": PROOFS})
    write = Write(enabled, "bo@jump1", "IBKR is back", ts_ms).to_facts()
    return [
        submitted,
        confirmed,
        Entry(NOW, "step_started", {"step": 0, "command": "HSET", "write": write, "where": where}),
        Entry(NOW, "step_done", {"step": 0, "detail": "Redis took it"}),
        Entry(NOW, "verifying", {}),
        Entry(NOW, "proof", {"proof": 0, "state": read_back, "detail": "", "took_s": 0.1}),
    ]


def a_vigil(file: LatchFile) -> Vigil:
    return Vigil(file, SETTINGS.redis, SystemClock(), MagicMock(), JobStore(file.file.parent / "jobs"))


@pytest.mark.parametrize(
    ("changed", "is_let_go"),
    [
        ({}, True),
        ({"ts_ms": 1000}, True),
        ({"ts_ms": 999}, False),
        ({"read_back": "unknown"}, False),
        ({"where": "redis://elsewhere policy:kill_switch"}, False),
        ({"enabled": True}, False),
    ],
)
def test_a_cockpit_that_opens_lets_go_of_what_a_journal_says_was_released(
    file: LatchFile, changed: dict[str, Any], is_let_go: bool
) -> None:
    store = JobStore(file.file.parent / "jobs")
    store.create(ID, release(**{"where": file.where, **changed})).release()
    vigil = a_vigil(file)
    vigil.read()
    assert (vigil.present is None, file.read() is None) == (is_let_go, is_let_go)


async def test_what_redis_lost_is_not_engaged_over_a_release_that_came_meanwhile(file: LatchFile) -> None:
    vigil = a_vigil(file)
    vigil.read()
    latch = vigil.present
    assert latch is not None
    writer = AsyncMock()
    writer.read_switch.return_value = ({}, False)
    JobStore(file.file.parent / "jobs").create(ID, release(file.where)).release()
    await vigil._look(writer, latch)
    writer.set_kill_switch.assert_not_awaited()
    assert vigil.present is None and file.read() is None


async def test_a_latch_without_a_release_is_still_engaged_again(file: LatchFile) -> None:
    vigil = a_vigil(file)
    vigil.read()
    vigil._seen_ms = 1000
    assert vigil.present is not None
    writer = AsyncMock()
    writer.read_switch.return_value = ({}, False)
    JobStore(file.file.parent / "jobs").create(ID, release(file.where, read_back="unknown")).release()
    await vigil._look(writer, vigil.present)
    writer.set_kill_switch.assert_awaited_once()


def test_an_audit_that_refuses_keeps_no_latch(file: LatchFile, monkeypatch: pytest.MonkeyPatch) -> None:
    store = JobStore(file.file.parent / "jobs")
    store.create(ID, release(file.where)[:-1]).release()

    async def prove(store: JobStore, *_: object) -> Phase:
        store.append(ID, [*release(file.where)[-1:], Entry(NOW, "done")])
        return Phase.DONE

    def refuse(*_: object) -> None:
        raise JournalError("the audit journal is locked by another process")

    monkeypatch.setattr(worker, "_prove", prove)
    monkeypatch.setattr(AuditLog, "append", refuse)
    with pytest.raises(JournalError, match="locked"):
        worker.work(store.folder(ID), SETTINGS, SystemClock())
    assert file.read() is None


async def test_a_release_that_is_proven_without_a_worker_lets_go(
    file: LatchFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, scribe, clock = file.file.parent, Scribe(), SystemClock()
    minutes = Minutes(AuditLog(state), scribe, clock, WHO, World.SANDBOX, "test")
    store = JobStore(state / "jobs")
    custody, record = Custody(store, scribe, minutes, SETTINGS, clock), Record(store, scribe, ID)
    record.write(*release(file.where)[:-1])

    class Seen:
        def __init__(self, *_: object, **__: object) -> None:
            pass

        async def run(self, _: float) -> Phase:
            record.write(*release(file.where)[-1:], Entry(NOW, "done"))
            return Phase.DONE

    monkeypatch.setattr(custody_module, "Proving", Seen)
    await custody._prove_here(record)
    scribe.tell(lambda: None).result(5)
    assert file.read() is None
