"""Candles that no feed has a tick for any more: filled they are not, and nobody may take them for whole."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from actions.script import gap_fill
from actions.step import Stage
from cockpit.headless.panel_words import PANEL_WORDS
from cockpit.model.job import JobStep, StepState
from cockpit.severity.judge import assess
from tests.unit.healthy import NOW, SETTINGS, feeds, snapshot
from tests.unit.test_journal import WHO
from widgets.line import plain, width_of
from widgets.panels.feeds import lines, summary
from widgets.view import View

LOST = {"candles_missing": 0, "candles_lost": 132, "candles_lost_age_s": 720.0}
CLOCK = SimpleNamespace(now=lambda: NOW)


def proof(facts: dict[str, Any], **candles: Any) -> JobStep:
    found = snapshot(feeds=feeds(**candles))
    plan = gap_fill.plan(SETTINGS, WHO, {}, found, NOW)
    stage = Stage(SETTINGS, CLOCK, WHO, plan, found, facts, None, lambda *_: None)  # type: ignore[arg-type]
    return gap_fill.judge(stage)[0]


def test_the_proof_says_first_what_cannot_be_filled() -> None:
    said = proof({"filled": "0", "left": "132"}, **LOST)
    assert (said.state, said.detail) == (
        StepState.DONE,
        "132 CANNOT BE FILLED, no feed has a tick for them; 0 filled",
    )
    assert proof({}, **LOST).detail.startswith("132 CANNOT BE FILLED"), "as the aggregator counts them"
    assert proof({"filled": "7", "left": "0"}).detail == "7 filled"
    assert proof({"filled": "7", "left": "0"}, candles_missing=2).state is StepState.RUNNING


def test_the_wall_goes_on_saying_what_is_lost_and_raises_nothing() -> None:
    found = snapshot(feeds=feeds(**LOST))
    for width, said in ((60, "4.0 s ago · 132 lost, last 12 m ago"), (38, "4.0 s ago · 132 lost 12 m ago")):
        row = next(row for row in lines(View(found, NOW, SETTINGS), width, 12) if plain(row).startswith("candles"))
        assert said in plain(row) and "whole" not in plain(row) and width_of(row) <= width
    assert "132 candles lost" in plain(summary(View(found, NOW, SETTINGS), 200))
    assert "132 candles lost: no feed has a tick for them" in PANEL_WORDS["feeds"](found, SETTINGS)
    assert not assess(found, SETTINGS)[0].findings


def test_what_is_missing_stands_beside_what_is_lost() -> None:
    both = View(snapshot(feeds=feeds(**{**LOST, "candles_missing": 3})), NOW, SETTINGS)
    assert any("3 missing, 132 lost" in plain(row) for row in lines(both, 60, 12))
    assert "3 candles missing" in plain(summary(both, 200))


def test_on_which_feed_trading_runs_is_not_cut_before_its_name() -> None:
    switched = View(snapshot(feeds=feeds(active="moneycontrol")), NOW, SETTINGS)
    assert any("money… PRIMARY" in plain(row) for row in lines(switched, 36, 12))
    assert any("moneycontrol PRIMARY" in plain(row) for row in lines(switched, 60, 12))
