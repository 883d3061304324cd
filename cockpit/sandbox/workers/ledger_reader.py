"""Reads ledger.db for Postgres: everything that a stretch of events touched, as it stands now."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Rows behind the events after one id and up to another."""

    last_event_id: int
    is_newest: bool
    """Whether there is nothing in the ledger behind it; only then do `positions` belong to it."""
    orders: list[Row]
    fills: list[Row]
    cash: list[Row]
    positions: list[Row]


class LedgerReader:
    """One read transaction per stretch: what it returns is the ledger at one moment."""

    def __init__(self, path: Path) -> None:
        self._file = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def after(self, event_id: int, most: int = 1_000) -> Stretch | None:
        """The next stretch; None when there is nothing new."""
        self._file.execute("BEGIN")
        try:
            events = self._file.execute(
                "SELECT id, payload FROM events WHERE id > ? ORDER BY id LIMIT ?", (event_id, most)
            ).fetchall()
            return self._stretch(events) if events else None
        finally:
            self._file.execute("COMMIT")

    def last_event_id(self) -> int:
        """The newest event's id, 0 in an empty ledger."""
        return int(self._file.execute("SELECT COALESCE(MAX(id), 0) FROM events").fetchone()[0])

    def _stretch(self, events: list[tuple[int, str]]) -> Stretch:
        found = [json.loads(payload)["event"] for _, payload in events]
        order_ids = json.dumps(list({str(event["order_id"]) for event in found if "order_id" in event}))
        fill_ids = [str(event["id"]) for event in found if "id" in event]
        orders = self._file.execute(
            "SELECT id, ts_ms, account_id, symbol, side, qty, order_type, limit_price, status FROM orders"
            " WHERE id IN (SELECT value FROM json_each(?))",
            (order_ids,),
        ).fetchall()
        fills = self._file.execute(
            "SELECT f.id, f.ts_ms, f.order_id, f.account_id, f.symbol, o.side, f.price, f.qty, f.venue, f.liquidity"
            " FROM fills f JOIN orders o ON o.id = f.order_id WHERE f.id IN (SELECT value FROM json_each(?))",
            (json.dumps(fill_ids),),
        ).fetchall()
        cash = self._file.execute(
            "SELECT id, ts_ms, account_id, ccy, delta, reason, ref FROM cash_ledger"
            " WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps([f"cash-{fill_id}" for fill_id in fill_ids]),),
        ).fetchall()
        positions = self._file.execute("SELECT account_id, symbol, qty, avg_px, realized_pnl FROM positions").fetchall()
        last_id = events[-1][0]
        return Stretch(last_id, last_id == self.last_event_id(), orders, fills, cash, positions)
