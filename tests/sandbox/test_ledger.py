"""The ledger file: each event once, a chain that shows every change, positions that survive a restart."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from cockpit.sandbox.workers.hashchain import first_broken
from cockpit.sandbox.workers.ledger_file import LedgerFile
from cockpit.sandbox.workers.ledger_reader import LedgerReader
from cockpit.sandbox.workers.streams import FILLS, REJECTED, VALIDATED, Entry

COLUMNS = "SELECT id, ts_ms, kind, payload, prev_hash, hash FROM events ORDER BY id"


def validated(number: int, qty: int = 10) -> Entry:
    order = {"order_id": f"o{number}", "ts_ms": number, "symbol": "AAPL", "side": "buy", "qty": qty, "price": 5.0}
    return VALIDATED, f"{number}-0", order | {"order_type": "market"}


def fill(number: int, order: int, qty: int, side: str = "buy") -> Entry:
    event = {"id": f"IBKR-{number}", "order_id": f"o{order}", "ts_ms": number, "symbol": "AAPL", "side": side}
    return FILLS, f"{100 + number}-0", event | {"qty": qty, "price": 5.0, "venue": "IBKR"}


def rejected(order: int, reason: str) -> Entry:
    return (
        REJECTED,
        f"{order}-1",
        {"order_id": f"o{order}", "symbol": "AAPL", "side": "buy", "qty": 10, "reason": reason},
    )


def read(path: Path, query: str) -> list[Any]:
    with sqlite3.connect(path) as file:
        return file.execute(query).fetchall()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


def test_entries_that_come_twice_are_recorded_once(path: Path) -> None:
    ledger = LedgerFile(path)
    entries = [validated(1), fill(1, 1, 4), fill(2, 1, 6)]
    assert ledger.append(entries) == {"AAPL"}
    assert ledger.append(entries) == set()
    assert ledger.append([(FILLS, "999-0", fill(2, 1, 6)[2])]) == set()
    assert read(path, "SELECT COUNT(*) FROM events") == [(3,)]
    assert read(path, "SELECT symbol, qty, avg_px FROM positions") == [("AAPL", 10, 5.0)]
    assert read(path, "SELECT status FROM orders") == [("filled",)]
    assert read(path, "SELECT SUM(delta) FROM cash_ledger") == [(-50.0,)]
    assert ledger.last_fill_entry() == "102-0"


def test_statuses_follow_fills_and_final_rejections_only(path: Path) -> None:
    ledger = LedgerFile(path)
    ledger.append([validated(1), validated(2), validated(3), fill(1, 1, 4)])
    ledger.append([rejected(2, "venue IBKR: 201 margin check failed"), rejected(3, "duplicate order_id")])
    ledger.append([rejected(4, "kill_switch"), rejected(2, "venue IBKR: 201 margin check failed")])
    statuses = dict(read(path, "SELECT id, status FROM orders"))
    assert statuses == {"o1": "partially_filled", "o2": "rejected", "o3": "validated", "o4": "rejected"}
    assert read(path, "SELECT COUNT(*) FROM events") == [(7,)]


def test_a_fill_may_come_before_its_order(path: Path) -> None:
    ledger = LedgerFile(path)
    ledger.append([fill(1, 1, 3), fill(2, 1, 1)])
    assert read(path, "SELECT qty, order_type, status FROM orders") == [(4, "unknown", "filled")]
    ledger.append([validated(1)])
    assert read(path, "SELECT qty, order_type, status FROM orders") == [(10, "market", "partially_filled")]


def test_what_is_no_event_is_passed_over(path: Path) -> None:
    ledger = LedgerFile(path)
    assert (
        ledger.append([(FILLS, "1-0", {}), (VALIDATED, "2-0", {}), (FILLS, "3-0", {"id": "x", "qty": "many"})]) == set()
    )
    assert read(path, "SELECT COUNT(*) FROM events") == [(0,)]


def test_positions_and_chain_go_on_after_a_restart(path: Path) -> None:
    first = LedgerFile(path)
    first.append([validated(1), fill(1, 1, 10)])
    first.close()
    second = LedgerFile(path)
    second.append([validated(2), fill(2, 2, 4, "sell")])
    assert second.positions["AAPL"].qty == 6
    assert first_broken(read(path, COLUMNS)) is None


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE events SET payload = replace(payload, '\"qty\":10', '\"qty\":11') WHERE id = 2",
        "UPDATE events SET ts_ms = ts_ms + 1 WHERE id = 2",
        "UPDATE events SET kind = 'fill' WHERE id = 2",
        "DELETE FROM events WHERE id = 2",
        "UPDATE events SET hash = replace(hash, substr(hash, 1, 1), 'x') WHERE id = 2",
    ],
)
def test_any_change_breaks_the_chain(path: Path, damage: str) -> None:
    ledger = LedgerFile(path)
    ledger.append([validated(1), validated(2), validated(3)])
    assert first_broken(read(path, COLUMNS)) is None
    with sqlite3.connect(path) as file:
        file.execute(damage)
    assert first_broken(read(path, COLUMNS)) in (2, 3)


def test_the_reader_hands_out_stretches_with_what_they_touched(path: Path) -> None:
    ledger = LedgerFile(path)
    ledger.append([validated(1), fill(1, 1, 4), validated(2), fill(2, 2, 10, "sell"), rejected(3, "kill_switch")])
    reader = LedgerReader(path)
    first = reader.after(0, most=2)
    assert first is not None
    assert (first.last_event_id, first.is_newest) == (2, False)
    assert [row[0] for row in first.orders] == ["o1"]
    assert [(row[0], row[5], row[7]) for row in first.fills] == [("IBKR-1", "buy", 4)]
    rest = reader.after(2)
    assert rest is not None
    assert rest.is_newest
    assert sorted(row[0] for row in rest.orders) == ["o2", "o3"]
    assert [row[0] for row in rest.cash] == ["cash-IBKR-2"]
    assert [row[1:3] for row in rest.positions] == [("AAPL", -6)]
    assert reader.after(5) is None
