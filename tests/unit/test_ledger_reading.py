"""What the ledger's fills add up to: nothing is left out, or taken for the other side, without a word."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cockpit.clients.ledger import Filled, held_by_venue
from cockpit.errors import BackendError


def a_ledger(file: Path, *sides: str | None) -> Path:
    """A fill of 10 AAPL for each, of an order of that side; None: of an order that is not there."""
    with closing(sqlite3.connect(file)) as ledger:
        ledger.execute("CREATE TABLE orders(id TEXT, side TEXT)")
        ledger.execute("CREATE TABLE fills(ts_ms INTEGER, order_id TEXT, symbol TEXT, qty REAL, venue TEXT)")
        for number, side in enumerate(sides):
            ledger.execute("INSERT INTO fills VALUES (?, ?, 'AAPL', 10, 'IBKR')", (number, f"o{number}"))
            if side is not None:
                ledger.execute("INSERT INTO orders VALUES (?, ?)", (f"o{number}", side))
        ledger.commit()
    return file


def test_fills_add_up_by_their_orders_sides(tmp_path: Path) -> None:
    assert held_by_venue(a_ledger(tmp_path / "l.db", "buy", "BUY", "Sell")) == {"ibkr": Filled({"AAPL": 10.0}, 2)}
    assert held_by_venue(a_ledger(tmp_path / "flat.db", "buy", "sell")) == {"ibkr": Filled({}, 1)}


@pytest.mark.parametrize("side", [None, "", "short", "?"])
def test_a_fill_of_no_known_side_is_said(tmp_path: Path, side: str | None) -> None:
    with pytest.raises(BackendError, match="1 fills of AAPL in the ledger are neither bought nor sold"):
        held_by_venue(a_ledger(tmp_path / "l.db", "buy", "sell", side))
