"""The newest part of the audit journal, read in bounded memory and exported as it stands."""

from __future__ import annotations

import stat
from pathlib import Path

from cockpit.jobs.shelf import Shelf
from cockpit.model.audit import AuditRecord, Operator
from cockpit.storage.audit import AuditLog
from cockpit.storage.recent import export, read_recent

WHO = Operator("asha", "asha", "jump1", None, None)


def filled(folder: Path, count: int) -> AuditLog:
    log = AuditLog(folder)
    for number in range(count):
        log.append(AuditRecord(float(number), WHO, "confirmed", "PAPER", "hf-1", "", f"step {number}", "", ""))
    return log


def test_no_journal_yet(tmp_path: Path) -> None:
    assert read_recent(tmp_path).records == ()


def test_the_newest_first_and_never_half_a_record(tmp_path: Path) -> None:
    log = filled(tmp_path, 40)
    whole = read_recent(tmp_path)
    assert whole.is_all and whole.records == tuple(reversed(log.tail()))
    assert read_recent(tmp_path, whole) is whole
    part = read_recent(tmp_path, limit_bytes=3000)
    assert not part.is_all and part.size_bytes == whole.size_bytes
    assert part.records == whole.records[: len(part.records)] and 0 < len(part.records) < 40


def test_an_export_is_private_and_verbatim(tmp_path: Path) -> None:
    log = filled(tmp_path, 3)
    file = export(tmp_path, log.tail(2), 1_781_984_652.0)
    assert file.name == "audit-20260620T194412.jsonl"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_bytes() == b"".join(log.file.read_bytes().splitlines(keepends=True)[-2:])


def test_a_changed_record_is_found(tmp_path: Path) -> None:
    log = filled(tmp_path, 3)
    shelf = Shelf(tmp_path)
    assert shelf.verify(1.0).result(10).words.startswith("sound: 3 records")
    log.file.write_bytes(log.file.read_bytes().replace(b"step 1", b"step 7"))
    found = shelf.verify(2.0).result(10)
    assert not found.is_sound and found.words.startswith("BROKEN at line 2")
