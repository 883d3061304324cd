"""A copy of the ledger of one moment, and whether its hash chain is whole: both may take minutes, so they tell."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from cockpit.clients.kept import share
from cockpit.errors import BackendError
from cockpit.text import clean

TIMEOUT_S = 5.0
PAGES = 2048
"""At 4 kB a page, 8 MB between two words on the progress."""
ROWS = 20_000
GENESIS = "0" * 64
Tell = Callable[[float], None]
"""Is given the fraction that is done."""


@dataclass(frozen=True, slots=True)
class Chain:
    """What walking the whole chain found."""

    events: int
    head: str
    """The last event's hash."""
    fault: str | None
    """The first row that does not fit, in words; None where all do."""


def copy_ledger(source: Path, target: Path, tell: Tell) -> int:
    """Copy it as it is at one moment, whoever goes on writing; the copy is one file, on the disk. Its size in bytes.

    Raises:
        BackendError: it could not be read, or the copy could not be written.
    """
    if not source.is_file():
        raise BackendError(f"there is no ledger at {clean(source)}")

    def progress(_: int, left: int, pages: int) -> None:
        tell(1.0 - left / pages if pages else 1.0)

    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            share(descriptor, target.parent)
        finally:
            os.close(descriptor)
        with closing(_opened(source)) as ledger, closing(sqlite3.connect(target, timeout=TIMEOUT_S)) as copy:
            # With a transaction of ours open the copy is of this moment; else each write of others begins it anew.
            ledger.execute("BEGIN")
            ledger.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
            ledger.backup(copy, pages=PAGES, progress=progress)
            # As a log-keeping database it would need two more files.
            copy.execute("PRAGMA journal_mode=DELETE").fetchone()
        return _synced(target)
    except (sqlite3.Error, OSError) as error:
        raise BackendError(f"the ledger could not be copied: {clean(error, 120)}") from None


def verify_ledger(file: Path, tell: Tell) -> Chain:
    """Every event's hash, and that each follows the one before.

    Raises:
        BackendError: it is no ledger, or damaged as a file.
    """
    try:
        with closing(_opened(file)) as ledger:
            (said,) = ledger.execute("PRAGMA quick_check(1)").fetchone()
            if said != "ok":
                raise BackendError(f"{clean(file.name)} is damaged: {clean(said, 120)}")
            return _walked(ledger, tell)
    except sqlite3.Error as error:
        raise BackendError(f"{clean(file.name)} cannot be verified: {clean(error, 120)}") from None


def _walked(ledger: sqlite3.Connection, tell: Tell) -> Chain:
    (total,) = ledger.execute("SELECT COUNT(*) FROM events").fetchone()
    rows = ledger.execute("SELECT id, ts_ms, kind, payload, prev_hash, hash FROM events ORDER BY id")
    head, events = GENESIS, 0
    for event_id, ts_ms, kind, payload, claimed_prev, claimed in rows:
        fault = _fault(ts_ms, kind, payload, head, claimed_prev, claimed)
        if fault is not None:
            return Chain(events, head, f"row {event_id} is broken: {fault}")
        head, events = claimed, events + 1
        if events % ROWS == 0:
            tell(events / total)
    return Chain(events, head, None)


def _fault(ts_ms: object, kind: str, payload: str, prev: str, claimed_prev: str, claimed: str) -> str | None:
    if claimed_prev != prev:
        return "it does not follow the row before"
    body = f'{{"kind":{json.dumps(kind)},"payload":{payload},"prev_hash":"{prev}","ts_ms":{ts_ms}}}'
    if hashlib.sha256(body.encode()).hexdigest() == claimed:
        return None
    try:
        # The column need not be in canonical form; the hash is over the canonical form.
        event = {"ts_ms": ts_ms, "kind": kind, "payload": json.loads(payload), "prev_hash": prev}
    except ValueError:
        return "its payload is no JSON"
    whole = json.dumps(event, sort_keys=True, separators=(",", ":"))
    return None if hashlib.sha256(whole.encode()).hexdigest() == claimed else "its hash is not that of its content"


def _opened(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True, timeout=TIMEOUT_S, isolation_level=None)


def _synced(file: Path) -> int:
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
        return os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)
