"""The tables of database hedgefund, and how to begin them anew from the ledger."""

from __future__ import annotations

DATABASE = "hedgefund"
ROLE = "hedgefund_user"
TABLES = ("orders", "fills", "positions", "cash_ledger", "candles", "ledger_cursor")
"""A dump without one of these is not a snapshot of the platform."""

CREATE = """
CREATE TABLE IF NOT EXISTS orders (
    id text PRIMARY KEY,
    ts_ms bigint NOT NULL,
    account_id text NOT NULL,
    symbol text NOT NULL,
    side text NOT NULL,
    qty double precision NOT NULL,
    order_type text NOT NULL,
    limit_price double precision,
    status text NOT NULL
);
CREATE INDEX IF NOT EXISTS orders_ts ON orders (ts_ms);
CREATE TABLE IF NOT EXISTS fills (
    id text PRIMARY KEY,
    ts_ms bigint NOT NULL,
    order_id text NOT NULL,
    account_id text NOT NULL,
    symbol text NOT NULL,
    side text NOT NULL,
    price double precision NOT NULL,
    qty double precision NOT NULL,
    venue text NOT NULL,
    liquidity text
);
CREATE INDEX IF NOT EXISTS fills_ts ON fills (ts_ms);
CREATE TABLE IF NOT EXISTS positions (
    account_id text NOT NULL,
    symbol text NOT NULL,
    qty double precision NOT NULL,
    avg_px double precision NOT NULL,
    realized_pnl double precision NOT NULL,
    PRIMARY KEY (account_id, symbol)
);
CREATE TABLE IF NOT EXISTS cash_ledger (
    id text PRIMARY KEY,
    ts_ms bigint NOT NULL,
    account_id text NOT NULL,
    ccy text NOT NULL,
    delta double precision NOT NULL,
    reason text NOT NULL,
    ref text
);
CREATE TABLE IF NOT EXISTS candles (
    symbol text NOT NULL,
    interval_s integer NOT NULL,
    open_ms bigint NOT NULL,
    o double precision NOT NULL,
    h double precision NOT NULL,
    l double precision NOT NULL,
    c double precision NOT NULL,
    n integer NOT NULL,
    source text NOT NULL,
    PRIMARY KEY (symbol, interval_s, open_ms)
);
CREATE TABLE IF NOT EXISTS ledger_cursor (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    last_event_id bigint NOT NULL
);
INSERT INTO ledger_cursor (last_event_id) VALUES (0) ON CONFLICT DO NOTHING;
"""
"""Run as hedgefund_user, who owns everything. The writer reads ledger_cursor inside each of its transactions
(FOR UPDATE) rather than remembering it, so a restored old dump, or BEGIN_ANEW, makes it catch up by itself."""

BEGIN_ANEW = """
UPDATE ledger_cursor SET last_event_id = 0;
TRUNCATE orders, fills, positions, cash_ledger;
"""
"""After CREATE brought a lost table back: the writer fills everything again from the ledger's first event. The cursor
first, as the writer locks it: in the other order each would wait for the other."""
