"""Kept state: the ledger copied as it is at one moment, its chain walked, and what counts as a snapshot."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from actions.snapshot.kept_check import kept_check
from cockpit.clients.kept import MANIFEST, make_folder, newest, stamp, write_file
from cockpit.clients.ledger_copy import Chain, copy_ledger, verify_ledger
from cockpit.clients.rdb_copy import copy_rdb
from cockpit.config import RedisPart, Settings
from cockpit.errors import BackendError, Refused
from cockpit.model.plan import Verdict
from cockpit.model.sample import Sample
from tests.unit import healthy
from tests.unit.healthy import NOW, snapshot
from tests.unit.small_ledger import a_ledger


def quiet(_: float) -> None:
    pass


def test_a_copy_is_of_one_moment_though_somebody_writes(tmp_path: Path) -> None:
    source, target = a_ledger(tmp_path / "ledger.db", 5000), tmp_path / "copy.db"
    with closing(sqlite3.connect(source, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode=WAL")

        def tell(_: float) -> None:
            writer.execute("INSERT INTO events(ts_ms, kind, payload, prev_hash, hash) VALUES (1, 'x', '{}', '', '')")

        assert copy_ledger(source, target, tell) == target.stat().st_size
        assert writer.execute("SELECT COUNT(*) FROM events").fetchone()[0] > 5000
    chain = verify_ledger(target, quiet)
    assert (chain.events, chain.fault) == (5000, None)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert sorted(one.name for one in tmp_path.glob("copy*")) == ["copy.db"], "one file, no log beside it"


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_what_is_kept_in_a_teams_folder_is_kept_for_the_team(tmp_path: Path, mask: int) -> None:
    team, alone = tmp_path / "team", tmp_path / "alone"
    for folder, mode in ((team, 0o2770), (alone, 0o700)):
        folder.mkdir()
        folder.chmod(mode)
    source = a_ledger(tmp_path / "ledger.db", 5)
    dump = tmp_path / "dump.rdb"
    dump.write_bytes(b"REDIS0011" + b"\0" * 16 + b"\xff" + b"\0" * 8)
    before = os.umask(mask)
    try:
        for parent in (team, alone):
            folder = make_folder(parent, stamp(NOW))
            copy_ledger(source, folder / "ledger.db", quiet)
            copy_rdb(dump, folder / "redis.rdb", 0.0, quiet)
            write_file(folder / MANIFEST, b"{}")
    finally:
        os.umask(before)
    for parent, modes in ((team, (0o2770, 0o640)), (alone, (0o700, 0o600))):
        for path in (parent / stamp(NOW), *(parent / stamp(NOW)).iterdir()):
            assert stat.S_IMODE(path.stat().st_mode) == modes[path.is_file()], path


def test_a_copy_never_overwrites(tmp_path: Path) -> None:
    source = a_ledger(tmp_path / "ledger.db", 3)
    (tmp_path / "copy.db").write_text("mine")
    with pytest.raises(BackendError, match="could not be copied"):
        copy_ledger(source, tmp_path / "copy.db", quiet)
    assert (tmp_path / "copy.db").read_text() == "mine"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE events SET payload = replace(payload, '7', '8') WHERE id = 7", "row 7 is broken: its hash"),
        ("UPDATE events SET payload = 'no' WHERE id = 5", "row 5 is broken: its payload is no JSON"),
        ("DELETE FROM events WHERE id = 4", "row 5 is broken: it does not follow"),
        ("UPDATE events SET hash = prev_hash WHERE id = 9", "row 9 is broken: its hash"),
    ],
)
def test_a_row_that_was_tampered_with_is_named(tmp_path: Path, change: str, words: str) -> None:
    file = a_ledger(tmp_path / "ledger.db", 12)
    with closing(sqlite3.connect(file)) as ledger:
        ledger.execute(change)
        ledger.commit()
    fault = verify_ledger(file, quiet).fault
    assert fault is not None and fault.startswith(words)


def test_an_empty_chain_is_whole_and_no_ledger_is_none(tmp_path: Path) -> None:
    assert verify_ledger(a_ledger(tmp_path / "ledger.db", 0), quiet) == Chain(0, "0" * 64, None)
    (tmp_path / "text").write_text("no database at all, whatever it is called" * 100)
    for name in ("text", "missing"):
        with pytest.raises(BackendError):
            verify_ledger(tmp_path / name, quiet)


def test_a_file_of_redis_is_whole_and_not_an_old_one(tmp_path: Path) -> None:
    file = tmp_path / "dump.rdb"
    file.write_bytes(b"REDIS0011" + b"x" * 50 + b"\xff" + b"12345678")
    written = file.stat().st_mtime
    assert copy_rdb(file, tmp_path / "copy.rdb", written, quiet) == file.stat().st_size
    with pytest.raises(BackendError, match="older than the save"):
        copy_rdb(file, tmp_path / "other.rdb", written + 60, quiet)
    file.write_bytes(file.read_bytes()[:-4])
    with pytest.raises(BackendError, match="no whole RDB file"):
        copy_rdb(file, tmp_path / "third.rdb", written, quiet)
    assert not (tmp_path / "third.rdb").exists()


def a_snapshot_of(parent: Path, at: float, **parts: Any) -> Path:
    folder = make_folder(parent, stamp(at))
    said: dict[str, Any] = {"taken_at": at, "ledger": None, "redis": None}
    for name, words in parts.items():
        size = write_file(folder / f"{name}.x", b"content")
        said[name] = {"file": f"{name}.x", "bytes": size, "words": words, "fault": None}
    write_file(folder / MANIFEST, json.dumps(said).encode())
    return folder


def test_only_what_is_whole_counts(tmp_path: Path) -> None:
    parent = tmp_path / "backups" / "cockpit"
    assert newest(parent) is None
    whole = a_snapshot_of(parent, NOW, ledger="5 events", redis="all")
    make_folder(parent, stamp(NOW + 1))
    short = a_snapshot_of(parent, NOW + 2, ledger="6 events")
    (short / "ledger.x").write_bytes(b"cut")
    garbage = make_folder(parent, stamp(NOW + 3))
    (garbage / MANIFEST).write_text('{"taken_at": NaN}')
    found = newest(parent)
    assert found is not None and (found.folder, found.ledger, found.redis) == (whole, "5 events", "all")
    assert stat.S_IMODE(parent.stat().st_mode) == stat.S_IMODE(whole.stat().st_mode) == 0o700
    with pytest.raises(Refused):
        make_folder(parent, whole.name)
    with pytest.raises(Refused):
        write_file(whole / MANIFEST / "x", b"")


@pytest.mark.parametrize(
    ("age_s", "parts", "is_redis_up", "verdict", "is_overridable", "words"),
    [
        (60, {"ledger": "5 events", "redis": "all"}, True, Verdict.PASS, False, "all; 5 events"),
        (60, {"ledger": "5 events"}, True, Verdict.FAIL, True, "without Redis, which answers"),
        (
            60,
            {"ledger": "5 events"},
            False,
            Verdict.WARN,
            False,
            "the ledger only; once Redis answers, the replay needs another (Space r s)",
        ),
        (60, {"redis": "all"}, True, Verdict.FAIL, False, "without the ledger"),
        (3600, {"ledger": "5 events", "redis": "all"}, True, Verdict.FAIL, False, "60 min old"),
        (-60, {"ledger": "5 events", "redis": "all"}, True, Verdict.FAIL, False, "in the future"),
        (None, {}, True, Verdict.FAIL, False, "nothing is kept yet; take a snapshot first"),
    ],
)
def test_the_check_asks_for_what_can_be_kept(
    tmp_path: Path,
    age_s: float | None,
    parts: dict[str, str],
    is_redis_up: bool,
    verdict: Verdict,
    is_overridable: bool,
    words: str,
) -> None:
    a_ledger(tmp_path / "ledger.db", 1)
    settings = Settings(site="test", root=tmp_path, redis=RedisPart())
    if age_s is not None:
        a_snapshot_of(tmp_path / "backups/cockpit", NOW - age_s, **parts)
    redis = Sample.good(healthy.redis(), NOW, 0.0) if is_redis_up else Sample().failed("refused", NOW, 0.0)
    check = kept_check(settings, snapshot(redis=redis), NOW)
    assert (check.verdict, check.is_overridable) == (verdict, is_overridable), check
    assert words in check.detail


def test_without_a_ledger_there_may_be_nothing_to_keep(tmp_path: Path) -> None:
    check = kept_check(Settings(site="test", root=tmp_path, redis=RedisPart()), snapshot(), NOW)
    assert (check.verdict, check.is_overridable) == (Verdict.FAIL, True)
