"""The Postgres writer on the whole sandbox: equal to the ledger, also after the server was gone."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
from small_platform import until

from cockpit.sandbox.layout import Layout
from cockpit.sandbox.schema import DATABASE, ROLE

QUERIES = (
    "SELECT symbol, qty, avg_px, realized_pnl FROM positions ORDER BY symbol",
    "SELECT id, ts_ms, symbol, side, qty, status FROM orders ORDER BY id",
    "SELECT id, order_id, symbol, price, qty, venue FROM fills ORDER BY id",
    "SELECT id, delta, ref FROM cash_ledger ORDER BY id",
)


def ledger(layout: Layout, query: str) -> list[Any]:
    with closing(sqlite3.connect(layout.ledger)) as file:
        return [tuple(row) for row in file.execute(query)]


def postgres(layout: Layout, query: str) -> list[Any]:
    with psycopg.connect(
        host="127.0.0.1",
        port=layout.ports.postgres,
        dbname=DATABASE,
        user=ROLE,
        passfile=str(layout.folder / "pgpass"),
        connect_timeout=2,
    ) as connection:
        return connection.execute(query).fetchall()


def are_equal(layout: Layout) -> bool:
    try:
        last = ledger(layout, "SELECT MAX(id) FROM events")[0][0]
        if postgres(layout, "SELECT last_event_id FROM ledger_cursor")[0][0] != last:
            return False
        return all(sorted(ledger(layout, query)) == sorted(postgres(layout, query)) for query in QUERIES)
    except psycopg.Error:
        return False


@contextmanager
def pausing(control: Any) -> Iterator[None]:
    """No new orders meanwhile, so that the stores come to rest."""
    strategies = control.status()["services"]["strategies"]
    os.kill(strategies, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(strategies, signal.SIGCONT)


def newest(layout: Layout) -> int:
    return int(ledger(layout, "SELECT COALESCE(MAX(id), 0) FROM events")[0][0])


def test_postgres_holds_exactly_what_the_ledger_holds(sandbox: tuple[Layout, Any]) -> None:
    layout, control = sandbox
    with pausing(control):
        until(lambda: are_equal(layout))
    control.inject("postgres-killed")
    try:
        before = newest(layout)
        until(lambda: newest(layout) > before + 100)
    finally:
        control.clear("postgres-killed")
    with pausing(control):
        until(lambda: are_equal(layout))
    assert len(postgres(layout, QUERIES[0])) == 12


def test_an_older_database_is_caught_up_by_itself(sandbox: tuple[Layout, Any]) -> None:
    layout, control = sandbox
    with psycopg.connect(
        host="127.0.0.1",
        port=layout.ports.postgres,
        dbname=DATABASE,
        user=ROLE,
        passfile=str(layout.folder / "pgpass"),
    ) as connection:
        connection.execute("SELECT 1 FROM ledger_cursor FOR UPDATE")
        connection.execute("DELETE FROM fills WHERE id IN (SELECT id FROM fills ORDER BY ts_ms DESC LIMIT 40)")
        connection.execute("DELETE FROM cash_ledger")
        connection.execute("UPDATE positions SET qty = 0")
        connection.execute("UPDATE ledger_cursor SET last_event_id = 0")
    with pausing(control):
        until(lambda: are_equal(layout))


def test_candles_reach_postgres_unchanged(sandbox: tuple[Layout, Any]) -> None:
    layout, _ = sandbox
    until(lambda: bool(postgres(layout, "SELECT 1 FROM candles LIMIT 1")))
    rows = postgres(layout, "SELECT symbol, open_ms, o, h, l, c, n FROM candles ORDER BY open_ms LIMIT 12")
    assert len({row[0] for row in rows}) == 12
    assert all(row[4] <= min(row[2], row[5]) <= max(row[2], row[5]) <= row[3] for row in rows)
