"""The ledger itself: ledger.db, appended to in batches, each event once."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

from cockpit.sandbox.workers.book import Position
from cockpit.sandbox.workers.hashchain import GENESIS, canonical, event_hash
from cockpit.sandbox.workers.instruments import ACCOUNT
from cockpit.sandbox.workers.redis_line import now_ms
from cockpit.sandbox.workers.streams import FILLS, REJECTED, Entry, is_final_rejection

SCHEMA = """
CREATE TABLE IF NOT EXISTS events(
  id INTEGER PRIMARY KEY, ts_ms INTEGER NOT NULL, kind TEXT NOT NULL, payload TEXT NOT NULL,
  prev_hash TEXT NOT NULL, hash TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS orders(
  id TEXT PRIMARY KEY, ts_ms INTEGER NOT NULL, account_id TEXT NOT NULL, symbol TEXT NOT NULL, side TEXT NOT NULL,
  qty INTEGER NOT NULL, order_type TEXT NOT NULL, limit_price REAL, status TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS fills(
  id TEXT PRIMARY KEY, ts_ms INTEGER NOT NULL, order_id TEXT NOT NULL, account_id TEXT NOT NULL, symbol TEXT NOT NULL,
  price REAL NOT NULL, qty INTEGER NOT NULL, venue TEXT NOT NULL, liquidity TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS positions(
  account_id TEXT NOT NULL, symbol TEXT NOT NULL, qty INTEGER NOT NULL, avg_px REAL NOT NULL,
  realized_pnl REAL NOT NULL, PRIMARY KEY(account_id, symbol));
CREATE TABLE IF NOT EXISTS cash_ledger(
  id TEXT PRIMARY KEY, ts_ms INTEGER NOT NULL, account_id TEXT NOT NULL, ccy TEXT NOT NULL, delta REAL NOT NULL,
  reason TEXT NOT NULL, ref TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS orders_open ON orders(status) WHERE status IN ('validated', 'partially_filled');
CREATE INDEX IF NOT EXISTS fills_order ON fills(order_id);
"""
UNANNOUNCED = "unknown"
"""Order type of an order whose fill came before the order itself."""
CLOSED = ("filled", "rejected")
Row = tuple[Any, ...]


class LedgerFile:
    """Appends events and keeps the tables that follow from them, in one transaction per batch."""

    def __init__(self, path: Path) -> None:
        self._file = sqlite3.connect(path, isolation_level=None)
        self._file.execute("PRAGMA journal_mode=WAL")
        self._file.execute("PRAGMA synchronous=NORMAL")
        self._file.executescript(SCHEMA)
        row = self._file.execute("SELECT id, hash FROM events ORDER BY id DESC LIMIT 1").fetchone()
        self._last_id: int = row[0] if row else 0
        self._last_hash: str = row[1] if row else GENESIS
        rows = self._file.execute("SELECT symbol, qty, avg_px, realized_pnl FROM positions").fetchall()
        self.positions = {symbol: Position(qty, avg_px, realized) for symbol, qty, avg_px, realized in rows}

    def append(self, entries: list[Entry]) -> set[str]:
        """Record entries of the order streams; the symbols whose position has changed."""
        batch = Batch(self._file, dict(self.positions), self._last_id, self._last_hash)
        self._file.execute("BEGIN IMMEDIATE")
        try:
            for entry in entries:
                batch.take(entry)
            batch.write()
            self._file.execute("COMMIT")
        except BaseException:
            self._file.execute("ROLLBACK")
            raise
        self.positions, self._last_id, self._last_hash = batch.positions, batch.last_id, batch.last_hash
        return batch.changed

    def last_fill_entry(self) -> str:
        """The entry id of the fill recorded last; 0-0 where there is none."""
        row = self._file.execute("SELECT payload FROM events WHERE kind = 'fill' ORDER BY id DESC LIMIT 1").fetchone()
        return str(json.loads(row[0])["entry"]) if row else "0-0"

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class Batch:
    """What one transaction adds."""

    def __init__(self, file: sqlite3.Connection, positions: dict[str, Position], last_id: int, last_hash: str) -> None:
        self._file = file
        self.positions = positions
        self.last_id = last_id
        self.last_hash = last_hash
        self.changed: set[str] = set()
        self._events: list[Row] = []
        self._cash: list[Row] = []

    def take(self, entry: Entry) -> None:
        """Record one entry, unless it was recorded before."""
        stream, entry_id, event = entry
        if stream == FILLS:
            is_new = self._fill(event)
            kind = "fill"
        else:
            kind = "order.rejected" if stream == REJECTED else "order.validated"
            is_new = self._order(event, kind)
        if is_new:
            self._chain(kind, {"stream": stream, "entry": entry_id, "event": event})

    def write(self) -> None:
        """Write what was collected."""
        self._file.executemany("INSERT INTO events VALUES (?,?,?,?,?,?)", self._events)
        self._file.executemany("INSERT INTO cash_ledger VALUES (?,?,?,?,?,?,?)", self._cash)
        rows = [(ACCOUNT, symbol, *_row(self.positions[symbol])) for symbol in self.changed]
        self._file.executemany("INSERT OR REPLACE INTO positions VALUES (?,?,?,?,?)", rows)

    def _fill(self, fill: dict[str, Any]) -> bool:
        try:
            fill_id, order_id, symbol, side = (str(fill[name]) for name in ("id", "order_id", "symbol", "side"))
            ts_ms, qty, price, venue = int(fill["ts_ms"]), int(fill["qty"]), float(fill["price"]), str(fill["venue"])
        except (KeyError, TypeError, ValueError):
            return False
        row = (fill_id, ts_ms, order_id, ACCOUNT, symbol, price, qty, venue, "taker")
        if not self._file.execute("INSERT OR IGNORE INTO fills VALUES (?,?,?,?,?,?,?,?,?)", row).rowcount:
            return False
        self.positions[symbol] = self.positions.get(symbol, Position()).filled(side, qty, price)
        self.changed.add(symbol)
        delta = -qty * price if side == "buy" else qty * price
        self._cash.append((f"cash-{fill_id}", ts_ms, ACCOUNT, "USD", round(delta, 6), "fill", fill_id))
        # A fill whose order never reached the ledger (Redis lost it) still needs its order: the side is kept there.
        stub = (order_id, ts_ms, ACCOUNT, symbol, side, qty, UNANNOUNCED, None, "filled")
        if not self._file.execute("INSERT OR IGNORE INTO orders VALUES (?,?,?,?,?,?,?,?,?)", stub).rowcount:
            # Of an order that only its fills tell of, as much is known as has filled.
            grown = "UPDATE orders SET qty = qty + ? WHERE id = ? AND order_type = ?"
            self._file.execute(grown, (qty, order_id, UNANNOUNCED))
            self._settle(order_id)
        return True

    def _settle(self, order_id: str) -> None:
        """Bring an order's status up to its fills."""
        self._file.execute(
            "UPDATE orders SET status = CASE WHEN (SELECT SUM(qty) FROM fills WHERE order_id = orders.id) >= qty"
            " THEN 'filled' ELSE 'partially_filled' END WHERE id = ? AND status != 'rejected'",
            (order_id,),
        )

    def _order(self, order: dict[str, Any], kind: str) -> bool:
        try:
            order_id, symbol, side = str(order["order_id"]), str(order.get("symbol", "?")), str(order.get("side", "?"))
            ts_ms, qty = int(order.get("ts_ms") or now_ms()), int(order.get("qty") or 0)
        except (KeyError, TypeError, ValueError):
            return False
        order_type = str(order.get("order_type", "market"))
        limit_price = float(order["price"]) if order_type == "limit" and "price" in order else None
        status = "rejected" if kind == "order.rejected" else "validated"
        row = (order_id, ts_ms, ACCOUNT, symbol, side, qty, order_type, limit_price, status)
        if self._file.execute("INSERT OR IGNORE INTO orders VALUES (?,?,?,?,?,?,?,?,?)", row).rowcount:
            return True
        known = self._file.execute("SELECT status, order_type FROM orders WHERE id = ?", (order_id,)).fetchone()
        if status == "validated" and known[1] == UNANNOUNCED:
            self._file.execute("INSERT OR REPLACE INTO orders VALUES (?,?,?,?,?,?,?,?,?)", row)
            self._settle(order_id)
            return True
        if status == "validated" or known[0] in CLOSED:
            return False
        if is_final_rejection(order):
            self._file.execute("UPDATE orders SET status = 'rejected' WHERE id = ?", (order_id,))
        return True

    def _chain(self, kind: str, payload: dict[str, Any]) -> None:
        ts_ms, text = now_ms(), canonical(payload)
        digest = event_hash(ts_ms, kind, text, self.last_hash)
        self.last_id += 1
        self._events.append((self.last_id, ts_ms, kind, text, self.last_hash, digest))
        self.last_hash = digest


def _row(position: Position) -> tuple[int, float, float]:
    return position.qty, position.avg_px, position.realized_pnl
