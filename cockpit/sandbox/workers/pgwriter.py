"""The Postgres writer: follows ledger.db by event id into database hedgefund, and takes closed candles along.

The cursor is read inside each transaction, so a database restored from an old dump is caught up without being told.
"""

from __future__ import annotations

import json
import sqlite3
import time
from typing import Any

import psycopg

from cockpit.sandbox.layout import Layout
from cockpit.sandbox.schema import DATABASE, ROLE
from cockpit.sandbox.worker import WorkerContext
from cockpit.sandbox.workers.candles import INTERVAL_S, KEPT, candle_key
from cockpit.sandbox.workers.cycle import Every, Pace, beat, say
from cockpit.sandbox.workers.instruments import SYMBOLS
from cockpit.sandbox.workers.ledger_reader import LedgerReader, Row
from cockpit.sandbox.workers.postgres_rows import UPSERT_CANDLES, write_rows, write_stretch
from cockpit.sandbox.workers.redis_line import Command, RedisLine, RedisTrouble, now_ms

PERIOD_S = 0.5
CANDLES_EVERY_S = 5.0
CANDLES_BACK = 60
CANDLE_FIELDS = ("o", "h", "l", "c", "n", "source")
MAX_BACK_OFF_S = 2.0


class PostgresWriter:
    """One connection, opened again whenever it breaks."""

    def __init__(self, layout: Layout, redis: RedisLine) -> None:
        self._layout = layout
        self._redis = redis
        self._connection: psycopg.Connection[Any] | None = None
        self._reader: LedgerReader | None = None
        self._written: set[tuple[str, int]] = set()
        self._candles = Every(CANDLES_EVERY_S)

    def write(self) -> bool:
        """Write the next stretch; True when there is more."""
        reader, connection = self._ledger(), self._postgres()
        if reader is None:
            return False
        with connection.transaction():
            row = connection.execute("SELECT last_event_id FROM ledger_cursor FOR UPDATE").fetchone()
            cursor = int(row[0]) if row else 0
            stretch = reader.after(cursor)
            if stretch is None:
                return False
            write_stretch(connection, stretch)
        return not stretch.is_newest

    def write_candles(self) -> None:
        """Copy the last minutes' candles that are not there yet."""
        if not self._candles.is_due():
            return
        interval_ms = INTERVAL_S * 1000
        newest = now_ms() // interval_ms * interval_ms
        slots = [newest - step * interval_ms for step in range(CANDLES_BACK if self._written else KEPT)]
        commands: list[Command] = [("HMGET", candle_key(symbol), *slots) for symbol in SYMBOLS]
        rows: list[Row] = []
        for symbol, texts in zip(SYMBOLS, self._redis.ask(*commands), strict=True):
            for slot, text in zip(slots, texts, strict=True):
                if text and (symbol, slot) not in self._written:
                    candle = json.loads(text)
                    rows.append((symbol, INTERVAL_S, slot, *(candle[name] for name in CANDLE_FIELDS)))
        with self._postgres().transaction():
            write_rows(self._postgres(), UPSERT_CANDLES, rows)
        self._written = {key for key in self._written if key[1] >= slots[-1]} | {(row[0], row[2]) for row in rows}

    def close(self) -> None:
        """Drop the connection; the next call opens another. What was written through it is looked at anew."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._written.clear()

    def _ledger(self) -> LedgerReader | None:
        if self._reader is None and self._layout.ledger.exists():
            self._reader = LedgerReader(self._layout.ledger)
        return self._reader

    def _postgres(self) -> psycopg.Connection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(
                host="127.0.0.1",
                port=self._layout.ports.postgres,
                dbname=DATABASE,
                user=ROLE,
                passfile=str(self._layout.folder / "pgpass"),
                application_name="pgwriter",
                connect_timeout=3,
                autocommit=True,
            )
        return self._connection


def run(context: WorkerContext) -> None:
    """Write until told to stop; Postgres may come and go."""
    redis = RedisLine(context.layout.ports.redis, context.pump)
    writer = PostgresWriter(context.layout, redis)
    pace, second = Pace(PERIOD_S), Every(1.0)
    trouble, back_off_s = "", 0.0
    say("pgwriter: writing")
    while context.pump():
        pace.wait()
        try:
            while writer.write() and context.pump():
                pass
            _with_redis(writer, redis, second)
            trouble, back_off_s = "", 0.0
        except (psycopg.Error, sqlite3.Error, OSError) as error:
            writer.close()
            if str(error) != trouble:
                trouble = str(error)
                say(f"pgwriter: {trouble}")
            back_off_s = min(MAX_BACK_OFF_S, back_off_s * 2 or 0.1)
            time.sleep(back_off_s)
    writer.close()


def _with_redis(writer: PostgresWriter, redis: RedisLine, second: Every) -> None:
    """The parts that need Redis; without it the ledger is written all the same."""
    try:
        writer.write_candles()
        if second.is_due():
            redis.ask(beat("pgwriter"))
    except RedisTrouble:
        return
