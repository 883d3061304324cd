"""The workers' pure cores: positions, limits, exposure, risk measures, drawdown, routing, targets, prices."""

from __future__ import annotations

import doctest
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.sandbox.workers import book as book_module
from cockpit.sandbox.workers import hashchain, limits, routing, streams, var
from cockpit.sandbox.workers.book import Position, signed_qty
from cockpit.sandbox.workers.drawdown import WINDOW_S, Drawdown
from cockpit.sandbox.workers.exposure import Exposure
from cockpit.sandbox.workers.instruments import INSTRUMENTS, START_EQUITY_USD, SYMBOLS
from cockpit.sandbox.workers.limits import OrderLimits, refusal, shrinks
from cockpit.sandbox.workers.measures import Held, breaches, equity_usd, measured
from cockpit.sandbox.workers.prices import CENTRES, PricePath, shocked
from cockpit.sandbox.workers.redis_line import now_ms
from cockpit.sandbox.workers.router import is_stale
from cockpit.sandbox.workers.streams import decode, entry_key, is_final_rejection
from cockpit.sandbox.workers.targets import OrderFlow

FILLS = st.lists(
    st.tuples(st.sampled_from(("buy", "sell")), st.integers(1, 500), st.floats(1.0, 1000.0)), min_size=1, max_size=40
)


@pytest.mark.parametrize("module", [book_module, hashchain, limits, routing, streams, var])
def test_doctests(module: Any) -> None:
    assert doctest.testmod(module).failed == 0


@given(FILLS)
def test_quantity_is_the_sum_of_fills_and_profit_is_cash_plus_holdings(
    fills: list[tuple[str, int, float]],
) -> None:
    position, cash, qty = Position(), 0.0, 0
    for side, size, price in fills:
        position = position.filled(side, size, price)
        qty += signed_qty(side, size)
        cash -= signed_qty(side, size) * price
    assert position.qty == qty
    last = fills[-1][2]
    made = position.realized_pnl + position.qty * (last - position.avg_px)
    assert made == pytest.approx(cash + qty * last, abs=0.1)
    if qty == 0:
        assert position.avg_px == 0.0


def an_order(**changes: Any) -> dict[str, Any]:
    order = {"order_id": "o1", "symbol": "AAPL", "side": "buy", "qty": 10, "price": 100.0, "reduce_only": False}
    return order | changes


def exposure(qty: int = 0, mark: float = 100.0) -> Exposure:
    made = Exposure()
    made.rebase({"AAPL": qty}, {"AAPL": mark}, "0-0")
    return made


@pytest.mark.parametrize(
    ("order", "held", "is_halted", "reason"),
    [
        (an_order(), 0, False, ""),
        (an_order(), 0, True, "kill_switch"),
        (an_order(side="sell"), 50, True, "kill_switch"),
        (an_order(side="sell", reduce_only=True), 50, True, ""),
        (an_order(side="sell", reduce_only=True, qty=50), 50, True, ""),
        (an_order(side="sell", reduce_only=True, qty=51), 50, True, "kill_switch"),
        (an_order(side="buy", reduce_only=True), 50, True, "kill_switch"),
        (an_order(side="buy", reduce_only=True), -50, True, ""),
        (an_order(side="sell", reduce_only=True), 0, True, "kill_switch"),
        (an_order(side="sell", reduce_only="true"), 50, True, "kill_switch"),
        (an_order(side="sell", reduce_only=True, qty=51), 50, False, "reduce_only: would not shrink the position"),
        (an_order(side="sell", reduce_only=True, qty=40_000), 40_000, False, ""),
        (an_order(symbol="TSLA"), 0, False, "unknown_symbol: TSLA"),
        (an_order(price=120.0), 0, False, "price_band"),
        (an_order(qty=1_600), 0, False, "order_limit"),
        (an_order(qty=100), 14_950, False, "position_limit"),
        (an_order(qty=100, side="sell"), 16_000, False, ""),
        (an_order(qty=0), 0, False, "malformed: qty"),
        (an_order(qty=True), 0, False, "malformed: qty"),
        (an_order(qty=1.5), 0, False, "malformed: qty"),
        (an_order(side="hold"), 0, False, "malformed: side"),
        (an_order(price=float("nan")), 0, False, "malformed: price"),
        (an_order(order_id=""), 0, False, "malformed: order_id"),
        ({}, 0, True, "malformed: order_id"),
    ],
)
def test_refusals(order: dict[str, Any], held: int, is_halted: bool, reason: str) -> None:
    assert refusal(order, is_halted, exposure(held), OrderLimits()) == reason


def test_an_order_that_waited_is_refused_unless_it_only_reduces() -> None:
    assert refusal(an_order(), False, exposure(), OrderLimits(), age_s=4.9) == ""
    assert refusal(an_order(), False, exposure(), OrderLimits(), age_s=5.1) == "stale: waited more than 5 s"
    assert refusal(an_order(), True, exposure(), OrderLimits(), age_s=60.0) == "kill_switch"
    assert refusal(an_order(side="sell", reduce_only=True), True, exposure(50), OrderLimits(), age_s=60.0) == ""
    old, young = f"{now_ms() - 60_000}-0", f"{now_ms()}-0"
    assert is_stale(old, an_order()) and not is_stale(young, an_order())
    assert not is_stale(old, an_order(reduce_only=True))


def test_the_book_may_not_grow_over_the_gross_limit_but_may_shrink() -> None:
    book = Exposure()
    book.rebase({"AAPL": 10_000, "MSFT": -10_000}, {"AAPL": 100.0, "MSFT": 100.0}, "0-0")
    limits_ = OrderLimits(gross_usd=2_000_000.0)
    assert refusal(an_order(), False, book, limits_) == "gross_limit"
    assert refusal(an_order(side="sell"), False, book, limits_) == ""


@given(
    held=st.integers(-500, 500),
    orders=st.lists(st.tuples(st.sampled_from(("buy", "sell")), st.integers(1, 400)), max_size=12),
    will_fill=st.lists(st.booleans(), min_size=12, max_size=12),
)
def test_reduce_only_never_turns_a_position_round_whatever_fills(
    held: int, orders: list[tuple[str, int]], will_fill: list[bool]
) -> None:
    book = exposure(held)
    passed: list[tuple[str, int]] = []
    for number, (side, qty) in enumerate(orders):
        if shrinks(book, "AAPL", side, qty):
            book.sent(f"o{number}", "AAPL", side, qty)
            passed.append((side, qty))
    after = held + sum(signed_qty(*order) for order, fills in zip(passed, will_fill, strict=False) if fills)
    assert abs(after) <= abs(held)
    assert after * held >= 0


def test_fills_after_the_ledgers_positions_count_once() -> None:
    book = Exposure()
    book.rebase({"AAPL": 100}, {"AAPL": 10.0}, "5-0")
    book.sent("o1", "AAPL", "sell", 60)
    book.filled("6-0", "o1", "AAPL", "sell", 20)
    assert book.positions["AAPL"] == 80
    assert book.in_flight("AAPL", "sell") == 40
    book.rebase({"AAPL": 100}, {"AAPL": 10.0}, "5-0")
    assert book.positions["AAPL"] == 80
    book.rebase({"AAPL": 80}, {"AAPL": 10.0}, "6-0")
    assert book.positions["AAPL"] == 80
    book.filled("7-0", "o1", "AAPL", "sell", 40)
    assert (book.positions["AAPL"], book.flights) == (40, {})
    book.sent("o2", "AAPL", "sell", 5)
    book.ended("o2")
    assert book.in_flight("AAPL", "sell") == 0


def test_var_and_es_of_a_known_history() -> None:
    worst_first = np.arange(-500.0, 0.0)
    assert var.value_at_risk(worst_first) == 495.0
    assert var.expected_shortfall(worst_first) == pytest.approx(np.mean(np.arange(488, 501)))
    assert var.value_at_risk(np.arange(1.0, 501.0)) == 0.0


@pytest.mark.parametrize("seed", [1, 7, 42])
def test_an_average_book_fills_its_limits_to_sixty_percent_on_any_seed(seed: int) -> None:
    history = var.return_history(seed)
    assert np.array_equal(history, var.return_history(seed))
    var_limit, es_limit = var.nominal_limits(history)
    pnl = var.simulated_pnl(history, {each.symbol: each.target_usd for each in INSTRUMENTS})
    assert var.value_at_risk(pnl) / var_limit == pytest.approx(0.6, abs=0.01)
    assert var.expected_shortfall(pnl) / es_limit == pytest.approx(0.6, abs=0.01)
    stormy = var.simulated_pnl(history, {each.symbol: each.target_usd for each in INSTRUMENTS}, 2.5)
    assert var.value_at_risk(stormy) > var_limit


def test_an_eight_percent_shock_is_a_breach_and_names_itself() -> None:
    held = {each.symbol: Held(int(each.target_usd / each.price), each.price, each.price, 0.0) for each in INSTRUMENTS}
    signs = np.array([np.sign(each.target_usd) for each in INSTRUMENTS])
    marks = dict(zip(SYMBOLS, shocked(CENTRES, 0.08, signs), strict=True))
    fallen = {s: Held(each.qty, each.avg_px, float(marks[s]), 0.0) for s, each in held.items()}
    drawdown = Drawdown(0.05)
    drawdown.observed(0.0, equity_usd(held))
    fall = drawdown.observed(1.0, equity_usd(fallen))
    measures = measured(1, fallen, var.return_history(7), 1.0, fall)
    assert fall > 0.1
    found = breaches(measures, {"var_99": 1e9, "es_975": 1e9, "drawdown_pct": 0.05})
    assert found == [f"drawdown {fall:.1%} over 5.0%"]
    assert measures.pnl_day == pytest.approx(equity_usd(fallen) - START_EQUITY_USD, abs=0.01)


def test_a_calm_high_leaves_the_window_and_a_deep_fall_does_not_mend_itself() -> None:
    calm = Drawdown(0.05)
    calm.observed(0.0, 100.0)
    assert calm.observed(10.0, 99.0) == pytest.approx(0.01)
    assert calm.observed(WINDOW_S + 20.0, 99.0) == 0.0
    deep = Drawdown(0.05)
    deep.observed(0.0, 100.0)
    assert deep.observed(10.0, 94.0) == pytest.approx(0.06)
    assert deep.observed(3 * WINDOW_S, 94.0) == pytest.approx(0.06)
    deep.reset(3 * WINDOW_S, 94.0)
    assert deep.observed(3 * WINDOW_S + 1, 94.0) == 0.0


def test_prices_are_the_same_for_a_seed_also_after_a_restart() -> None:
    path = PricePath(3)
    first = [path.step() for _ in range(200)]
    again = PricePath(3)
    for _ in range(100):
        again.step()
    resumed = PricePath(3, at=again.at, offsets=again.offsets.copy())
    rest = [resumed.step() for _ in range(100)]
    assert np.allclose(first[100:], rest)
    assert not np.allclose(first[-1], PricePath(4).step())


def test_prices_stay_around_their_centres() -> None:
    path = PricePath(7)
    ratios = np.array([path.step() / CENTRES for _ in range(20_000)])
    assert 0.85 < ratios.min() < ratios.max() < 1.15
    moves = np.corrcoef(np.diff(np.log(ratios), axis=0).T)
    assert moves[np.triu_indices(len(SYMBOLS), 1)].mean() == pytest.approx(0.25, abs=0.03)


def test_orders_bring_the_book_to_its_targets_and_about_two_a_second_break_a_rule() -> None:
    flow, held = OrderFlow(7, "t"), dict.fromkeys(SYMBOLS, 0)
    prices = {each.symbol: each.price for each in INSTRUMENTS}
    forbidden, order_ids = 0, set()
    for burst in range(600):
        for order in flow.burst(5, held, prices, burst / 10, 0.1):
            order_ids.add(order["order_id"])
            usd = order["qty"] * prices.get(order["symbol"], 1.0)
            if order["symbol"] not in prices or usd > 150_000 or order["price"] > 1.1 * prices[order["symbol"]]:
                forbidden += 1
                continue
            held[order["symbol"]] += signed_qty(order["side"], order["qty"])
    assert len(order_ids) == 3_000
    assert 90 <= forbidden <= 150
    gross = sum(abs(qty) * prices[symbol] for symbol, qty in held.items())
    assert 6_000_000 < gross < 7_600_000


def test_strange_entries_are_no_events() -> None:
    assert decode(None) == {}
    assert decode(["other", "{}"]) == {}
    assert decode(["json", "[1]"]) == {}
    assert decode(["json", "{"]) == {}
    assert decode(["json", json.dumps({"a": 1})]) == {"a": 1}
    assert entry_key("12-3") > entry_key("12-1") > entry_key("5-9")


@pytest.mark.parametrize(
    ("reason", "is_final"),
    [("kill_switch", False), ("duplicate order_id", False), ("venue IBKR: 201", True), ("router: x", True)],
)
def test_which_rejections_end_a_validated_order(reason: str, is_final: bool) -> None:
    assert is_final_rejection({"reason": reason}) is is_final
