"""What is typed on top of a save that fails is saved whole, or kept whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs

from cockpit.clock import SystemClock
from cockpit.errors import JournalError
from cockpit.incidents.log import IncidentLog
from cockpit.model.severity import Severity
from cockpit.storage import disk
from cockpit.storage.incident_file import locked
from tests.unit.healthy import SETTINGS, snapshot

WAIT_S = 30


@pytest.fixture
def log(tmp_path: Path) -> Iterator[IncidentLog]:
    settings = structs.replace(SETTINGS, root=tmp_path)
    log = IncidentLog(settings, SystemClock(), "asha@jump1", tmp_path / "state" / "drafts", lambda *_: None)
    log.start()
    yield log
    log.stop(5.0)


@pytest.mark.parametrize("failures", [1, 2])
def test_what_is_typed_on_top_of_a_save_that_fails_loses_nothing_of_it(
    failures: int, log: IncidentLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "LOCK_WAIT_S", 0.01)
    name = log.open("Redis down", Severity.P1, "3.3", snapshot()).result(WAIT_S).id
    base = log.load(name).result(WAIT_S).base
    first = base.replace("## Summary\n", "## Summary\n\nthe beginning\n")
    second = f"{first}\nand the end\n"
    texts = [(base, first), (first, second)]
    with locked(tmp_path / "runbooks" / "incidents"):
        for each in texts[:failures]:
            with pytest.raises(JournalError, match="kept in"):
                log.save(name, *each).result(WAIT_S)
    for each in texts[failures:]:
        log.save(name, *each).result(WAIT_S)
    assert log.load(name).result(WAIT_S).base == second


def test_what_was_taken_back_after_a_save_that_failed_does_not_come_back(
    log: IncidentLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "LOCK_WAIT_S", 0.01)
    name = log.open("Redis down", Severity.P1, "3.3", snapshot()).result(WAIT_S).id
    base = log.load(name).result(WAIT_S).base
    with locked(tmp_path / "runbooks" / "incidents"):
        for each in ((base, f"{base}wrong\n"), (f"{base}wrong\n", base)):
            with pytest.raises(JournalError, match="kept in"):
                log.save(name, *each).result(WAIT_S)
    assert log.load(name).result(WAIT_S).base == base
