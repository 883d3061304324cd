"""The ledger, read only: positions and extent of the platform's SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from cockpit.errors import BackendError
from cockpit.model.shares import shares
from cockpit.text import clean

TIMEOUT_S = 2.0
LOOKED_AT = 20_000
"""So many of the newest fills tell where a symbol trades."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """What it holds at one moment."""

    events: int
    newest_ms: int | None
    positions: Mapping[str, float]
    """Symbol -> quantity, over all accounts; those at 0 left out."""


@dataclass(frozen=True, slots=True)
class Filled:
    """What the fills at one venue add up to."""

    positions: Mapping[str, float]
    """Symbol -> quantity; those at 0 left out."""
    newest_ms: int


NO_FILLS = Filled({}, 0)


def _require(file: Path) -> None:
    """SQLite itself would make the file, or not say what is wrong.

    Raises:
        BackendError: it is not there, or in a folder that may not be entered.
    """
    try:
        is_there = file.is_file()
    except OSError as error:
        raise BackendError(f"the ledger {clean(file)} cannot be read: {error.strerror}") from None
    if not is_there:
        raise BackendError(f"there is no ledger at {clean(file)}")


def last_venues(file: Path) -> Mapping[str, str]:
    """Symbol -> where it was filled last, as far as the newest fills tell; blocks for at most two seconds.

    Raises:
        BackendError: it is not there, not readable or no ledger.
    """
    _require(file)
    newest = "SELECT symbol, venue FROM fills ORDER BY rowid DESC LIMIT ?"
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True, timeout=TIMEOUT_S)) as ledger:
            rows = ledger.execute(newest, (LOOKED_AT,)).fetchall()
    except sqlite3.Error as error:
        raise BackendError(f"the ledger {clean(file)} cannot be read: {clean(error, 80)}") from None
    return {clean(symbol, 40): clean(venue, 40) for symbol, venue in reversed(rows)}


def read_ledger(file: Path) -> Ledger:
    """Read it; blocks for at most two seconds.

    Raises:
        BackendError: it is not there, not readable or no ledger.
    """
    _require(file)
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True, timeout=TIMEOUT_S)) as ledger:
            # Ids have no gaps in an append-only table, and the largest one is found without reading it.
            newest = ledger.execute("SELECT id, ts_ms FROM events ORDER BY id DESC LIMIT 1").fetchone()
            rows = ledger.execute("SELECT symbol, SUM(qty) FROM positions GROUP BY symbol").fetchall()
        events, newest_ms = (0, None) if newest is None else (int(newest[0]), int(newest[1]))
        return Ledger(events, newest_ms, _held((clean(symbol, 40), qty) for symbol, qty in rows))
    except (sqlite3.Error, TypeError, ValueError) as error:
        raise BackendError(f"the ledger {clean(file)} cannot be read: {clean(error, 80)}") from None


def held_by_venue(file: Path) -> Mapping[str, Filled]:
    """What was filled at each venue, its name in small letters; blocks for as long as it takes to read the fills.

    Raises:
        BackendError: it is not there, not readable or no ledger.
    """
    signed = "SUM(CASE lower(o.side) WHEN 'buy' THEN f.qty WHEN 'sell' THEN -f.qty ELSE 0 END)"
    sideless = "SUM(coalesce(lower(o.side), '') NOT IN ('buy', 'sell'))"
    summed = f"SELECT f.venue, f.symbol, {signed}, MAX(f.ts_ms), {sideless} FROM fills f"  # noqa: S608
    summed += " LEFT JOIN orders o ON o.id = f.order_id GROUP BY f.venue, f.symbol"
    _require(file)
    held: dict[str, dict[str, float]] = {}
    newest: dict[str, int] = {}
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True, timeout=TIMEOUT_S)) as ledger:
            for name, symbol, qty, ts_ms, without in ledger.execute(summed):
                if without:
                    # Left out, or taken for the other side, it would make what is held look as it is not.
                    words = f"{without} fills of {clean(symbol, 40)}"
                    raise BackendError(f"{words} in the ledger are neither bought nor sold")
                venue = clean(name, 40).casefold()
                held.setdefault(venue, {})[clean(symbol, 40)] = float(qty)
                newest[venue] = max(newest.get(venue, 0), int(ts_ms))
    except (sqlite3.Error, TypeError, ValueError) as error:
        raise BackendError(f"the ledger {clean(file)} cannot be read: {clean(error, 80)}") from None
    return {name: Filled(_held(of.items()), newest[name]) for name, of in held.items()}


def _held(rows: Iterable[tuple[str, float]]) -> dict[str, float]:
    return {symbol: qty for symbol, summed in rows if (qty := shares(float(summed or 0.0)))}


def count_since(file: Path, since_ms: int) -> int:
    """How many events came later; blocks for at most two seconds.

    Times grow with the ids, so that halving finds the first one, whatever the ledger's size.

    Raises:
        BackendError: it is not there, not readable or no ledger.
    """
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True, timeout=TIMEOUT_S)) as ledger:
            found = ledger.execute("SELECT min(id), max(id) FROM events").fetchone()
            if found is None or found[0] is None:
                return 0
            low, end = int(found[0]), int(found[1]) + 1
            high = end
            while low < high:
                middle = (low + high) // 2
                row = ledger.execute("SELECT ts_ms FROM events WHERE id >= ? ORDER BY id LIMIT 1", (middle,)).fetchone()
                low, high = (low, middle) if row is None or int(row[0]) > since_ms else (middle + 1, high)
        return end - low
    except (sqlite3.Error, TypeError, ValueError) as error:
        raise BackendError(f"the ledger {clean(file)} cannot be read: {clean(error, 80)}") from None
