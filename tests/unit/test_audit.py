"""The audit journal: chained, synced, repaired aloud, and every kind of damage found by its line."""

from __future__ import annotations

import errno
import multiprocessing
import os
import random
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from cockpit.errors import JournalError
from cockpit.model.audit import AuditRecord, Operator
from cockpit.storage.audit import AuditLog
from cockpit.storage.chain import GENESIS
from cockpit.storage.disk import lock, opened
from cockpit.storage.jobs import new_job_id

WHO = Operator("asha", "root", "jump1", "/dev/pts/3", "10.0.0.7")


def draft(text: str = "text", kind: str = "confirmed") -> AuditRecord:
    return AuditRecord(1_800_000_000.25, WHO, kind, "SANDBOX", "hf-1", "ref", text, "", "")


def filled(folder: Path, count: int = 5) -> AuditLog:
    log = AuditLog(folder)
    for number in range(count):
        log.append(draft(f"event {number}"))
    return log


def test_records_are_chained_from_64_zeros(tmp_path: Path) -> None:
    log = filled(tmp_path, 3)
    records = log.tail()
    assert records[0].prev == GENESIS == "0" * 64
    assert [record.prev for record in records[1:]] == [record.hash for record in records[:-1]]
    assert [record.text for record in records] == ["event 0", "event 1", "event 2"]
    assert records[0].who == WHO
    assert log.verify().is_sound
    assert log.verify().records == 3


def test_what_the_disk_did_not_confirm_is_not_there_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = filled(tmp_path, 1)
    before = log.file.read_bytes()
    with monkeypatch.context() as failing:

        def fsync(_: int) -> None:
            raise OSError(errno.EIO, "Input/output error")

        failing.setattr(os, "fsync", fsync)
        with pytest.raises(JournalError, match="input/output error"):
            log.append(draft("once"))
    assert log.file.read_bytes() == before
    log.append(draft("once"))
    assert [record.text for record in log.tail()] == ["event 0", "once"]
    assert log.verify().is_sound


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    log = filled(tmp_path / "state", 1)
    assert stat.S_IMODE(log.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(log.head_file.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


def test_control_characters_cannot_break_a_line(tmp_path: Path) -> None:
    log = AuditLog(tmp_path)
    log.append(draft('a\n{"b": "\x1b[31m\u202e\ud83d"}'))
    assert log.file.read_bytes().count(b"\n") == 1
    assert log.verify().is_sound


def test_every_changed_byte_is_found_and_its_line_named(tmp_path: Path) -> None:
    log = filled(tmp_path, 4)
    content = log.file.read_bytes()
    dice = random.Random(7)
    for at in range(0, len(content), 3):
        changed = bytearray(content)
        changed[at] ^= dice.choice([1, 2, 4, 32, 128])
        log.file.write_bytes(changed)
        found = log.verify()
        line = content[:at].count(b"\n") + 1
        assert not found.is_sound, f"byte {at}"
        # A changed newline joins two lines; either of them is a fair name for it.
        assert found.line in (line, line + 1) if content[at : at + 1] == b"\n" else found.line == line, f"byte {at}"


def test_a_missing_line_is_named(tmp_path: Path) -> None:
    log = filled(tmp_path)
    lines = log.file.read_bytes().splitlines(keepends=True)
    log.file.write_bytes(b"".join(lines[:2] + lines[3:]))
    found = log.verify()
    assert (found.line, "missing" in (found.problem or "")) == (3, True)


def test_reordered_lines_are_named(tmp_path: Path) -> None:
    log = filled(tmp_path)
    lines = log.file.read_bytes().splitlines(keepends=True)
    lines[1], lines[2] = lines[2], lines[1]
    log.file.write_bytes(b"".join(lines))
    assert log.verify().line == 2


def test_a_cut_end_is_found_by_the_head(tmp_path: Path) -> None:
    log = filled(tmp_path)
    lines = log.file.read_bytes().splitlines(keepends=True)
    log.file.write_bytes(b"".join(lines[:-2]))
    found = log.verify()
    assert found.line == 4
    assert found.problem == "the end is missing: 5 lines were written, 3 are there"


def test_a_cut_end_stays_found_after_the_next_record(tmp_path: Path) -> None:
    log = filled(tmp_path)
    lines = log.file.read_bytes().splitlines(keepends=True)
    log.file.write_bytes(b"".join(lines[:-2]))
    log.append(draft("after"))
    found = log.verify()
    assert found.line == 4
    assert "the end is missing" in (found.problem or "")
    assert log.tail(1)[0].text == "after"


def test_a_removed_journal_stays_found_after_the_next_record(tmp_path: Path) -> None:
    log = filled(tmp_path)
    log.file.unlink()
    assert log.verify().problem == "the end is missing: 5 lines were written, 0 are there"
    log.append(draft("after"))
    assert not log.verify().is_sound


def test_a_removed_head_is_found_and_stays_found(tmp_path: Path) -> None:
    log = filled(tmp_path)
    log.head_file.unlink()
    assert not log.verify().is_sound
    log.append(draft("after"))
    assert log.verify().line == 6


@pytest.mark.parametrize("kept", [1, 40, 200])
def test_a_torn_last_line_is_repaired_aloud(tmp_path: Path, kept: int) -> None:
    log = filled(tmp_path, 3)
    with log.file.open("ab") as file:
        file.write(log.file.read_bytes().splitlines()[2][:kept])
    before = log.file.read_bytes()
    torn = log.verify()
    assert torn.is_sound
    assert any("line 4 was cut short by a crash" in note for note in torn.notes)
    log.append(draft("after"))
    assert log.file.read_bytes().startswith(before), "what a crash left is evidence"
    assert [record.kind for record in log.tail(2)] == ["repaired", "confirmed"]
    found = log.verify()
    assert found.is_sound
    assert any("line 4 was cut short by a crash; line 5 says so" in note for note in found.notes)


def test_a_crash_in_the_repair_is_repaired_too(tmp_path: Path) -> None:
    log = filled(tmp_path, 2)
    with log.file.open("ab") as file:
        file.write(b'{"at":18')
        file.write(b'\n{"at":1800')
    log.append(draft("after"))
    assert log.verify().is_sound


def test_a_complete_line_without_its_newline_is_kept(tmp_path: Path) -> None:
    log = filled(tmp_path, 3)
    content = log.file.read_bytes()
    head = log.head_file.read_bytes()
    log.append(draft("fourth"))
    log.head_file.write_bytes(head)
    log.file.write_bytes(log.file.read_bytes()[:-1])
    assert log.file.read_bytes().startswith(content)
    log.append(draft("fifth"))
    assert [record.text for record in log.tail() if record.kind == "confirmed"][-2:] == ["fourth", "fifth"]
    assert log.verify().is_sound


def test_damage_cannot_hide_behind_a_repair(tmp_path: Path) -> None:
    log = filled(tmp_path, 3)
    log.file.write_bytes(log.file.read_bytes()[:-30] + b"\n")
    log.append(draft("after"))
    assert log.verify().line == 3


def test_a_head_one_behind_is_a_crash_not_damage(tmp_path: Path) -> None:
    log = filled(tmp_path, 2)
    head = log.head_file.read_bytes()
    log.append(draft("third"))
    log.head_file.write_bytes(head)
    assert log.verify().is_sound
    log.append(draft("fourth"))
    assert log.verify().is_sound
    assert log.verify().records == 4


def _append_many(folder: str, count: int) -> None:
    log = AuditLog(Path(folder))
    for number in range(count):
        log.append(draft(f"{os.getpid()} {number}"))


def test_processes_append_side_by_side(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("fork")
    writers = [spawn.Process(target=_append_many, args=(str(tmp_path), 20)) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(20)
        assert writer.exitcode == 0
    found = AuditLog(tmp_path).verify()
    assert (found.problem, found.records) == (None, 80)


def test_a_refused_write_leaves_no_torn_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = filled(tmp_path, 2)
    before = log.file.read_bytes()
    write = os.write

    def full(descriptor: int, content: bytes) -> int:
        if len(content) > 100:
            return write(descriptor, bytes(content[:100]))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(JournalError, match="no space left on device"):
        log.append(draft("a refused one"))
    monkeypatch.undo()
    assert log.file.read_bytes() == before
    log.append(draft("after"))
    assert log.verify().is_sound


def test_an_unwritable_place_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where a folder should be")
    with pytest.raises(JournalError, match="cannot use the folder"):
        AuditLog(tmp_path / "state").append(draft())


def test_a_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "audit.jsonl").symlink_to(victim)
    with pytest.raises(JournalError):
        AuditLog(folder).append(draft())
    assert victim.read_text() == "mine"


def test_what_cannot_be_detected_is_said(tmp_path: Path) -> None:
    assert "not detectable" in filled(tmp_path, 1).verify().notes[-1]


def test_a_journal_that_was_taken_away_whole_is_missed_by_its_jobs(tmp_path: Path) -> None:
    log = filled(tmp_path)
    first = log.tail()[0].at
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / new_job_id(first, "script.replay")).mkdir()
    (tmp_path / "jobs" / new_job_id(first + 1, "script.replay")).mkdir()
    (tmp_path / "jobs" / "lost+found").mkdir()
    assert log.verify().is_sound
    for file in (log.file, log.head_file):
        file.unlink()
    found = log.verify()
    assert found.line == 1 and "there is no record, yet jobs were done here" in (found.problem or "")
    log.append(replace(draft(), at=first + 600))
    found = log.verify()
    assert found.line == 1 and "what stood before is missing" in (found.problem or "")


def test_a_process_forked_in_the_middle_of_a_record_keeps_nobody_waiting(tmp_path: Path) -> None:
    log = filled(tmp_path, 1)
    reading, writing = os.pipe()
    with opened(log.file, os.O_RDWR) as descriptor:
        lock(descriptor, "the audit journal")
        child = os.fork()
        if child == 0:
            os.read(reading, 1)
            os._exit(0)
    log.append(draft("not two seconds later"))
    os.write(writing, b"x")
    os.waitpid(child, 0)
    assert log.verify().records == 2
