"""Writes rows into database hedgefund, many in one statement."""

from __future__ import annotations

from typing import Any, LiteralString

import psycopg
from psycopg import sql

from cockpit.sandbox.workers.ledger_reader import Row, Stretch

ORDERS: dict[str, LiteralString] = {
    "id": "text",
    "ts_ms": "bigint",
    "account_id": "text",
    "symbol": "text",
    "side": "text",
    "qty": "float8",
    "order_type": "text",
    "limit_price": "float8",
    "status": "text",
}
FILLS: dict[str, LiteralString] = {
    "id": "text",
    "ts_ms": "bigint",
    "order_id": "text",
    "account_id": "text",
    "symbol": "text",
    "side": "text",
    "price": "float8",
    "qty": "float8",
    "venue": "text",
    "liquidity": "text",
}
CASH: dict[str, LiteralString] = {
    "id": "text",
    "ts_ms": "bigint",
    "account_id": "text",
    "ccy": "text",
    "delta": "float8",
    "reason": "text",
    "ref": "text",
}
POSITIONS: dict[str, LiteralString] = {
    "account_id": "text",
    "symbol": "text",
    "qty": "float8",
    "avg_px": "float8",
    "realized_pnl": "float8",
}
CANDLES: dict[str, LiteralString] = {
    "symbol": "text",
    "interval_s": "int",
    "open_ms": "bigint",
    "o": "float8",
    "h": "float8",
    "l": "float8",
    "c": "float8",
    "n": "int",
    "source": "text",
}


def upsert(table: str, columns: dict[str, LiteralString], keys: int, is_newer: bool) -> sql.Composed:
    """INSERT of arrays; the first `keys` columns name a row, which is overwritten where ours `is_newer`."""
    names = [sql.Identifier(name) for name in columns]
    arrays = [sql.SQL("%s::") + sql.SQL(kind) + sql.SQL("[]") for kind in columns.values()]
    settings = [sql.SQL("{0} = excluded.{0}").format(name) for name in names[keys:]]
    on_conflict = sql.SQL("DO UPDATE SET ") + sql.SQL(", ").join(settings) if is_newer else sql.SQL("DO NOTHING")
    return sql.SQL("INSERT INTO {} ({}) SELECT * FROM unnest({}) ON CONFLICT ({}) {}").format(
        sql.Identifier(table),
        sql.SQL(", ").join(names),
        sql.SQL(", ").join(arrays),
        sql.SQL(", ").join(names[:keys]),
        on_conflict,
    )


UPSERT_ORDERS = upsert("orders", ORDERS, 1, True)
UPSERT_FILLS = upsert("fills", FILLS, 1, False)
UPSERT_CASH = upsert("cash_ledger", CASH, 1, False)
UPSERT_POSITIONS = upsert("positions", POSITIONS, 2, True)
UPSERT_CANDLES = upsert("candles", CANDLES, 3, False)


def write_rows(connection: psycopg.Connection[Any], statement: sql.Composed, rows: list[Row]) -> None:
    """Run the statement over the rows, if there are any."""
    if rows:
        connection.execute(statement, [list(column) for column in zip(*rows, strict=True)])


def write_stretch(connection: psycopg.Connection[Any], stretch: Stretch) -> None:
    """Write everything of a stretch and move the cursor; the caller's transaction makes it one."""
    write_rows(connection, UPSERT_ORDERS, stretch.orders)
    write_rows(connection, UPSERT_FILLS, stretch.fills)
    write_rows(connection, UPSERT_CASH, stretch.cash)
    if stretch.is_newest:
        write_rows(connection, UPSERT_POSITIONS, stretch.positions)
    connection.execute("UPDATE ledger_cursor SET last_event_id = %s", (stretch.last_event_id,))
