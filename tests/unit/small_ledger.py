"""A ledger of so many events, its chain whole."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from cockpit.sandbox.workers.hashchain import GENESIS, canonical, event_hash


def a_ledger(file: Path, events: int) -> Path:
    with closing(sqlite3.connect(file)) as ledger:
        columns = "id INTEGER PRIMARY KEY, ts_ms INTEGER, kind TEXT, payload TEXT, prev_hash TEXT, hash TEXT"
        ledger.execute(f"CREATE TABLE events({columns})")
        prev, rows = GENESIS, []
        for event_id in range(1, events + 1):
            payload = canonical({"n": event_id})
            found = event_hash(event_id, "order", payload, prev)
            rows.append((event_id, event_id, "order", payload, prev, found))
            prev = found
        ledger.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", rows)
        ledger.commit()
    return file
