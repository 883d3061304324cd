"""What somebody else may have written is a fact of its kind, or none: never one that ends whoever shows it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from cockpit.config import RedisPart
from cockpit.errors import JournalError
from cockpit.model.audit import AuditRecord, Operator
from cockpit.model.latch import Latch
from cockpit.model.rehearsal import Outcome, Rehearsal, Rehearsed
from cockpit.model.walk import Passed, Walk
from cockpit.storage.audit import AuditLog
from cockpit.storage.chain import GENESIS, chained, from_line, to_line
from cockpit.storage.drafts import Draft
from cockpit.storage.journal import Journal
from cockpit.storage.latches import LatchFile
from cockpit.storage.typed import typed

WHO = Operator("asha", "asha", "jump1", None, None)
RECORD = AuditRecord(1.0, WHO, "opened", "LIVE", "hf-1", "", "text", "", "")
WALK = Walk("3.3", "Redis crash", ("restart-redis",), "asha", 1.0, (Passed.SKIPPED,))
LINE = Rehearsed("replay", "Replay", "3.3", "Redis", "Space r p", Outcome.WORKS, "")
REHEARSAL = Rehearsal(1.0, 2, "LIVE", "hf-1", "asha", (LINE,))
DRAFT = Draft("x", "half a pair \ud83d", "\udcff", 3)
LATCH = Latch("redis", "asha", "x", 5)


@pytest.mark.parametrize("fact", [WALK, REHEARSAL, DRAFT, LATCH])
def test_what_was_written_reads_back(fact: Any) -> None:
    assert typed(type(fact), json.dumps(asdict(fact))) == fact


@pytest.mark.parametrize(
    ("fact", "change"),
    [
        (WALK, {"at": "x"}),
        (WALK, {"at": float("nan")}),
        (WALK, {"at": 10**400}),
        (WALK, {"title": 1}),
        (WALK, {"steps": "ab"}),
        (WALK, {"passed": ["flown"]}),
        (WALK, {"job": 5}),
        (WALK, {"more": 1}),
        (REHEARSAL, {"lines": [{"name": "x"}]}),
        (REHEARSAL, {"took_s": True}),
        (DRAFT, {"mine": None}),
        (LATCH, {"ts_ms": 1.5}),
        (LATCH, {"is_held": 1}),
    ],
)
def test_what_only_looks_like_it_is_none(fact: Any, change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=f"it is no {type(fact).__name__}"):
        typed(type(fact), json.dumps({**asdict(fact), **change}))


@pytest.mark.parametrize("change", [{"at": 1e300}, {"at": "x"}, {"text": None}, {"who": {**asdict(WHO), "host": 7}}])
def test_a_record_that_cannot_be_shown_is_none(tmp_path: Path, change: dict[str, object]) -> None:
    fields = {**asdict(chained(RECORD, GENESIS)), **change}
    line = json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()
    assert from_line(line) is None
    log = AuditLog(tmp_path)
    for job in ("20260101-000000-000-a.b-0000", "20260101-000001-000-a.b-0000"):
        (tmp_path / "jobs" / job).mkdir(parents=True)
    log.file.write_bytes(line + b"\n")
    log.append(RECORD)
    assert [record.text for record in log.tail()][-1:] == ["text"]
    assert from_line(to_line(chained(RECORD, GENESIS))[:-1]) is not None


def test_nobody_waits_for_a_pipe_in_a_files_place(tmp_path: Path) -> None:
    for name in ("latch.json", "journal.jsonl", "audit.jsonl", "audit.head"):
        os.mkfifo(tmp_path / name)
    with pytest.raises(JournalError, match="damaged"):
        LatchFile(tmp_path, RedisPart()).read()
    assert Journal(tmp_path / "journal.jsonl").entries() == ()
    assert AuditLog(tmp_path).tail() == ()
    with pytest.raises(JournalError):
        AuditLog(tmp_path).append(RECORD)
