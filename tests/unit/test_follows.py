"""One trouble that is told twice stands together and counts once; nothing is hidden, and nothing less severe."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cockpit.model.finding import Assessment
from cockpit.model.severity import Severity
from cockpit.severity.judge import assess
from tests.unit.healthy import NOW, SETTINGS, docker, reach, risk, snapshot, venue, venues
from tests.unit.test_herald import Wire, finding
from tests.unit.test_severity import all_redis_dead
from widgets.line import plain
from widgets.panels.findings import lines
from widgets.view import View

DOWN = venues(venue(status="down", code="502", message="connection refused"))
LOST = {"venues": DOWN, "reach": reach(IBKR=False)}
OVER = {"risk": risk(var_99=3e6, es_975=3e6)}
"""Each limit is passed by itself."""


def judged(**changed: Any) -> Assessment:
    return assess(snapshot(**changed), SETTINGS)[0]


@pytest.mark.parametrize(
    ("changed", "order", "troubles"),
    [
        ({**all_redis_dead(), "docker": docker(redis="exited")}, ["backend_silent", "└redis_container"], 1),
        (LOST, ["venue_down", "└venue_unreachable"], 1),
        ({"reach": reach(IBKR=False)}, ["venue_unreachable"], 1),
        ({"docker": docker(redis="exited")}, ["redis_container"], 1),
        ({"venues": DOWN, "reach": reach(ZERODHA=False)}, ["venue_down", "venue_unreachable"], 2),
        (OVER, ["es_over", "var_over"], 2),
        ({**all_redis_dead(), "docker": docker(redis="absent")}, ["backend_silent", "redis_container"], 2),
    ],
)
def test_what_tells_of_the_same_stands_under_it(changed: dict[str, Any], order: list[str], troubles: int) -> None:
    found = judged(**changed)
    assert [f"{'└' if one.follows else ''}{one.rule}" for one in found.findings] == order
    assert found.troubles == troubles
    assert {one.key for one in found.findings if one.follows} <= {one.key for one in found.findings}


def test_it_stands_under_its_own_lead_whatever_else_is_wrong() -> None:
    both = {"venues": venues(venue(status="down"), venue("ZERODHA", status="down")), "reach": reach(IBKR=False)}
    found = judged(**both).findings
    assert [(one.rule, one.subject) for one in found] == [
        ("venue_down", "IBKR"),
        ("venue_unreachable", "IBKR"),
        ("venue_down", "ZERODHA"),
    ]
    assert {one.severity for one in found} == {Severity.P1}


def test_what_nobody_can_look_at_again_leads_nothing() -> None:
    """The router's word is old once Redis is silent: that the broker is out of reach is seen now."""
    first, memory = assess(snapshot(**LOST), SETTINGS)
    old = {name: sample for name, sample in all_redis_dead().items() if name == "venues"}
    later, _ = assess(snapshot(NOW + 1, **(LOST | old)), SETTINGS, memory)
    assert first.troubles == 1
    found = {one.rule: one.follows for one in later.findings}
    assert found["venue_unreachable"] is None and found["venue_down"] is None


def test_it_is_drawn_as_a_branch_and_answered_once() -> None:
    seen = replace(snapshot(**LOST), assessment=judged(**LOST))
    rows = [plain(row) for row in lines(View(seen, seen.taken_at, SETTINGS), 80, 10)]
    assert rows[0].startswith("■ P1 IBKR down") and any(row.startswith("└ P1 IBKR unreachable") for row in rows)
    assert sum("3.1" in row for row in rows) == 1


def test_it_is_no_news_of_its_own_unless_it_stands_alone() -> None:
    down, unreached = finding("venue_down", Severity.P1), finding("venue_unreachable", Severity.P1)
    wire = Wire()
    wire.seen(0, 200, down)
    wire.seen(200, 400, down, replace(unreached, follows=down.key))
    assert wire.sent == [(5, "P1: venue_down is wrong")]
    wire.seen(400, 500, unreached)
    assert [words for _, words in wire.sent[1:]] == ["P1: venue_unreachable is wrong"]
