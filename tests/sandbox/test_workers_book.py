"""A book whose strategies are blind for a while stays within its limits, and is not held up while they see."""

from __future__ import annotations

import pytest

from cockpit.sandbox.workers.book import signed_qty
from cockpit.sandbox.workers.book_risk import MOST, BookRisk
from cockpit.sandbox.workers.exposure import Exposure
from cockpit.sandbox.workers.instruments import INSTRUMENTS
from cockpit.sandbox.workers.limits import OrderLimits, refusal
from cockpit.sandbox.workers.targets import OrderFlow

PRICES = {each.symbol: each.price for each in INSTRUMENTS}
HELD = {each.symbol: int(each.target_usd / each.price) for each in INSTRUMENTS}


def used(risk: BookRisk, book: Exposure) -> float:
    return risk._used({symbol: book.usd(symbol, qty) for symbol, qty in book.positions.items()})


def traded(
    seed: int, passed_s: int, is_blind: bool, is_bounded: bool, book: Exposure | None = None
) -> tuple[float, int]:
    """The most of its limits that the book came to use, and how many orders were refused for it."""
    risk, flow = BookRisk(seed), OrderFlow(seed, "o")
    book = Exposure(dict(HELD), PRICES) if book is None else book
    most, refused = 0.0, 0
    for tenth in range(10 * passed_s):
        seen = HELD if is_blind else dict(book.positions)
        for order in flow.burst(5, seen, PRICES, tenth / 10, 0.1):
            symbol, side, qty = order["symbol"], order["side"], order["qty"]
            if refusal(order, False, book, OrderLimits()):
                continue
            if is_bounded and risk.refusal(book, symbol, side, qty):
                refused += 1
                continue
            book.positions[symbol] += signed_qty(side, qty)
        most = max(most, used(risk, book))
    return most, refused


@pytest.mark.parametrize("seed", [7, 1, 2])
def test_strategies_that_see_nothing_for_half_a_minute_do_not_breach_the_limits(seed: int) -> None:
    """As while the ledger's group is paused: the positions that they trade against stand still."""
    assert traded(seed, 30, is_blind=True, is_bounded=False)[0] > 1.2, "else this shows nothing"
    most, refused = traded(seed, 30, is_blind=True, is_bounded=True)
    assert most <= MOST and refused


def test_strategies_that_see_are_never_held_up() -> None:
    most, refused = traded(7, 240, is_blind=False, is_bounded=True)
    assert (most < MOST, refused) == (True, 0)


@pytest.mark.parametrize("seed", [7, 1, 2])
@pytest.mark.parametrize(("longs", "shorts"), [(2.0, 2.0), (1.8, 0.3)])
def test_a_book_that_is_over_its_limits_all_the_same_is_brought_back(seed: int, longs: float, shorts: float) -> None:
    book = Exposure({symbol: int(qty * (longs if qty > 0 else shorts)) for symbol, qty in HELD.items()}, PRICES)
    risk = BookRisk(seed)
    assert used(risk, book) > 1.0
    traded(seed, 10, is_blind=False, is_bounded=True, book=book)
    assert used(risk, book) < MOST


def test_what_is_in_flight_counts_as_held() -> None:
    risk, held = BookRisk(7), Exposure(dict(HELD), PRICES)
    assert risk.refusal(held, "NVDA", "sell", 100) == ""
    for symbol, qty in HELD.items():
        held.sent(f"o-{symbol}", symbol, "buy" if qty > 0 else "sell", abs(qty))
    assert risk.refusal(held, "NVDA", "sell", 100) == "var_limit"
    for symbol in HELD:
        held.ended(f"o-{symbol}")
    assert risk.refusal(held, "NVDA", "sell", 100) == ""
