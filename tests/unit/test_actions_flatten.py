"""Flattening, judged before it trades: who must be alive, what is held where, and how long it takes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from actions.script import flatten
from actions.script.command import Command
from actions.step import Stage
from cockpit.clock import SystemClock
from cockpit.config import Settings
from cockpit.model.job import StepState
from cockpit.model.plan import Check, Plan, Verdict
from cockpit.model.states import KillSwitch, Position
from tests.unit.healthy import NOW, SETTINGS, risk, snapshot, values, venue, venues
from tests.unit.test_journal import WHO

HALTED = KillSwitch(is_engaged=True, is_present=True)
HELD = (Position("AAPL", 100.0, 1.0, 1.0, 400_000.0), Position("TCS", -20.0, 1.0, 1.0, -1000.0))


def at(tmp_path: Path, **changes: Any) -> Settings:
    (tmp_path / "backend/ops").mkdir(parents=True)
    (tmp_path / "backend/ops/hedger.py").write_text("")
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as ledger:
        ledger.execute("CREATE TABLE fills(symbol TEXT, venue TEXT)")
        fills = [("AAPL", "ZERODHA"), ("AAPL", "IBKR"), ("TCS", "ZERODHA")]
        ledger.executemany("INSERT INTO fills VALUES (?, ?)", fills)
        ledger.execute("CREATE TABLE events(id INTEGER PRIMARY KEY, ts_ms INTEGER)")
        ledger.execute("CREATE TABLE positions(account_id TEXT, symbol TEXT, qty REAL)")
        ledger.executemany("INSERT INTO positions VALUES ('a', ?, ?)", [(one.symbol, one.qty) for one in HELD])
        ledger.commit()
    return structs.replace(SETTINGS, root=tmp_path, **changes)


def planned(settings: Settings, **samples: Any) -> Plan:
    return flatten.plan(
        settings, WHO, {}, snapshot(**{"kill_switch": HALTED, "risk": risk(positions=HELD), **samples}), NOW
    )


def check(plan: Plan, name: str) -> Check:
    return next(one for one in plan.checks if one.name == name)


def test_the_plan_says_what_is_held_where_and_how_long_it_takes(tmp_path: Path) -> None:
    plan = planned(at(tmp_path))
    assert plan.is_allowed, plan.blocking
    assert plan.phrase == "FLATTEN 2 POSITIONS test"
    assert "IBKR: 1 positions, about 3 orders of at most 150,000: 0 s at 10 orders/s" in plan.impact
    assert dict(plan.parameters) == {"orders_per_s": "10", "slice_usd": "150000"}
    slower = planned(at(tmp_path / "other", scripts=structs.replace(SETTINGS.scripts, orders_per_s=1)))
    assert slower.digest != plan.digest, "the rate is confirmed with it"


def test_parts_of_a_share_are_equal_however_they_were_added_up(tmp_path: Path) -> None:
    settings = at(tmp_path)
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as ledger:
        parts = [("BTC", 0.1), ("BTC", 0.2), ("ETH", 0.1), ("ETH", 0.2), ("ETH", -0.3)]
        ledger.executemany("INSERT INTO positions VALUES ('b', ?, ?)", parts)
        ledger.commit()
    redis = (*HELD, replace(HELD[0], symbol="BTC", qty=0.3))
    assert check(planned(settings, risk=risk(positions=redis)), "ledger = Redis").detail == "3 positions agree"
    less = (*HELD, replace(HELD[0], symbol="BTC", qty=0.25))
    words = check(planned(settings, risk=risk(positions=less)), "ledger = Redis").detail
    assert words == "not for 1 symbol: BTC 0.3 and 0.25"


@pytest.mark.parametrize(
    ("positions", "name", "is_overridable", "words"),
    [
        ((), "positions", False, "the ledger has: replay first"),
        ((), "ledger = Redis", False, "Redis lost 2 positions: replay first (Space r p); ledger: AAPL 100, TCS -20"),
        ((replace(HELD[0], qty=5000.0), HELD[1]), "ledger = Redis", True, "not for 1 symbol: AAPL 100 and 5"),
        (HELD[:1], "ledger = Redis", True, "not for 1 symbol: TCS -20 and 0"),
    ],
)  # fmt: skip
def test_what_redis_alone_says_of_the_positions_is_not_enough(
    tmp_path: Path, positions: tuple[Position, ...], name: str, is_overridable: bool, words: str
) -> None:
    plan = planned(at(tmp_path), risk=risk(positions=positions))
    found = check(plan, name)
    assert found.verdict is Verdict.FAIL and found.is_overridable is is_overridable and words in found.detail
    assert check(planned(at(tmp_path / "b")), "ledger = Redis").verdict is Verdict.PASS


def test_flat_is_what_the_ledger_says_too(tmp_path: Path) -> None:
    settings = at(tmp_path)
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as ledger:
        ledger.execute("UPDATE positions SET qty = 0")
        ledger.commit()
    plan = planned(settings, risk=risk(positions=()))
    assert [one.detail for one in plan.blocking] == ["already flat"]


def test_a_closed_market_is_named_with_what_stays_open(tmp_path: Path) -> None:
    """NOW is a Friday, 13:30 in Mumbai and 03:00 in New York."""
    names = {"ZERODHA": "NSE", "IBKR": "NYSE"}
    parts = tuple(structs.replace(one, exchange=names.get(one.name)) for one in SETTINGS.venues)
    plan = planned(at(tmp_path, venues=parts))
    found = check(plan, "NYSE")
    assert found.verdict is Verdict.WARN and found.detail == "closed (03:00 there), stays open until it opens: AAPL"
    assert "NSE" not in {one.name for one in plan.checks} and plan.is_allowed


@pytest.mark.parametrize(
    ("component", "is_overridable", "words"),
    [("risk", True, "silent for 60 s"), ("router", True, "silent for 60 s"), ("ledger", False, "sold once more")],
)
def test_a_dead_worker_forbids_it(tmp_path: Path, component: str, is_overridable: bool, words: str) -> None:
    beats = tuple(
        type(one)(one.component, 60.0 if one.component == component else one.age_s) for one in values()["heartbeats"]
    )
    (found,) = planned(at(tmp_path), heartbeats=beats).blocking
    assert (found.name, found.is_overridable) == (f"{component} alive", is_overridable) and words in found.detail


def test_risk_that_is_old_and_orders_that_are_open_are_said(tmp_path: Path) -> None:
    settings = at(tmp_path)
    (found,) = planned(settings, risk=risk(positions=HELD, age_s=30.0)).blocking
    assert found.is_overridable and "risk was computed last 30 s ago" in found.detail
    quiet = planned(settings, venues=venues(venue("IBKR", open_orders=0)))
    assert (check(quiet, "IBKR").verdict, check(quiet, "PAPER").verdict) == (Verdict.PASS, Verdict.WARN)
    assert "3 orders open: they may still fill" in check(quiet, "PAPER").detail
    assert planned(settings, kill_switch=KillSwitch(False, False)).blocking[0].name == "kill switch"


def stage(settings: Settings, plan: Plan, positions: tuple[Position, ...]) -> Stage:
    found = snapshot(at=SystemClock().now(), risk=risk(positions=positions))
    return Stage(settings, SystemClock(), WHO, plan, found, {}, None, lambda *_: None)  # type: ignore[arg-type]


def test_while_anything_is_held_nobody_can_say_not_done(tmp_path: Path) -> None:
    settings = at(tmp_path)
    plan = planned(settings)
    (step,) = flatten.steps(plan)
    held = step.probe(stage(settings, plan, HELD))
    assert held.state is StepState.UNKNOWN and "still open: AAPL 100, TCS -20" in held.detail
    assert step.probe(stage(settings, plan, ())).state is StepState.DONE


def test_the_program_is_told_its_rates_and_its_list_is_the_outcome(tmp_path: Path) -> None:
    settings = at(tmp_path)
    (step,) = flatten.steps(planned(settings))
    assert isinstance(step, Command)
    assert step.variables(settings) == {
        "FLATTEN_ORDERS_PER_S": "10", "FLATTEN_SLICE_USD": "150000", "FLATTEN_DEADLINE_S": "170"
    }  # fmt: skip
    said = "not flat after 9 s\n  still open: AAPL          120  venue_down\n  still open: TCS   -1,020  not sent yet\n"
    assert step.failed(said) == "still open: AAPL 120 (venue_down), TCS -1,020 (not sent yet)"
    assert step.failed("refused: no") == ""
