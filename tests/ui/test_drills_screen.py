"""The drills' screen: what is due, begun only after a question, the coach while one runs, the verdict after it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cockpit.drills.schedule import schedule
from cockpit.model.drill import Board, Drill, Due, Goal, Met, Scenario
from tests.ui import snapshots
from tests.ui.conftest import cockpit
from widgets.drill_rows import Stand, drill_rows
from widgets.line import plain

GOALS = (Goal("detected", "finding:x", "Watch the wall"), Goal("halted", "halted", "Trigger the kill switch (3.1)"))
ONE = Scenario("broker-failover", "Broker failover", "3.1", "IBKR refuses connections.", "broker-down", GOALS, 92)
DRILL = Drill(
    "20260620-194000-broker-failover", "broker-failover", "Broker failover", "3.1", snapshots.NOW - 42, "asha@jump1",
    "SANDBOX", "hf-1", "/tmp/x", "/platform", "/tmp/x/cockpit.yaml", "/tmp/x/incidents",
    "2026-06-20-1940-P1-drill", rto_s=900.0,
    mets=(Met("detected", snapshots.NOW - 40),),
)  # fmt: skip
IDLE = Board((Due(ONE, None, snapshots.NOW),))


async def test_a_drill_begins_only_after_a_question() -> None:
    async with cockpit() as it:
        it.session.drills.kept = IDLE
        await it.press("4")
        await it.sees("never played")
        await it.press("enter")
        await it.sees("It breaks this sandbox.")
        await it.press("escape")
        assert it.session.drills.asked == []


async def test_the_menu_of_steps_leads_there_too() -> None:
    async with cockpit() as it:
        it.session.drills.kept = IDLE
        await it.press("space", "d")
        await it.sees("never played")


async def test_the_running_one_shows_goals_and_coach_and_then_its_verdict() -> None:
    async with cockpit() as it:
        it.session.drills.kept = replace(IDLE, running=DRILL)
        await it.press("4")
        await it.sees("Drill runs")
        await it.sees("hint  K, then y")
        assert "played on another platform" not in it.text()
        await it.press("enter")
        await it.sees("runs already")
        over = replace(DRILL, ended_at=snapshots.NOW, ending="ended", is_passed=True)
        it.session.drills.kept = Board((Due(ONE, over, snapshots.NOW + 92 * 86400),), None, (over,))
        it.app.screen.tick()  # type: ignore[attr-defined]
        await it.sees("PASSED")
        await it.sees("due in 92 d")
        await it.press("r")
        await it.sees("# Drill 20260620-194000-broker-failover")
        await it.press(*["pagedown"] * 4)
        await it.sees("line 59")
        await it.press("escape")
        await it.sees("due in 92 d")


async def test_the_hand_stays_on_what_was_played() -> None:
    other = replace(ONE, name="redis-crash", title="Redis crash")
    async with cockpit() as it:
        it.session.drills.kept = Board((Due(ONE, None, snapshots.NOW), Due(other, None, snapshots.NOW)), DRILL)
        await it.press("4")
        await it.sees("Drill runs")
        over = replace(DRILL, started_at=snapshots.NOW - 600, ended_at=snapshots.NOW - 30, ending="ended")
        dues = (Due(other, None, snapshots.NOW), Due(ONE, over, snapshots.NOW + 92 * 86400))
        it.session.drills.kept = Board(dues, None, (over,))
        it.app.screen.tick()  # type: ignore[attr-defined]
        await it.sees("last 30 s ago")
        await it.press("r")
        await it.sees(f"# Drill {DRILL.id}")


async def test_one_on_another_platform_says_how_to_get_there() -> None:
    async with cockpit() as it:
        it.session.drills.kept = replace(IDLE, running=replace(DRILL, root="/tmp/x/platform"))
        await it.press("4")
        await it.sees("cockpit --config /tmp/x/cockpit.yaml")


@pytest.mark.parametrize("width", [80, 100, 120])
def test_no_title_of_a_drill_is_cut_off(width: int) -> None:
    board = Board(schedule((), snapshots.NOW))
    assert len(board.dues) >= 5
    for picked in (0, 1, 4):
        rows = [plain(row) for row in drill_rows(Stand(snapshots.NOW, board, board.dues, picked), width, 22)]
        text = " ".join(" ".join(row.split()) for row in rows)
        assert "…" not in text and not [due for due in board.dues if due.scenario.title not in text], text
        assert max(map(len, rows)) <= width
