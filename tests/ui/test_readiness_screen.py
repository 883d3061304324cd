"""The readiness' screen: the last rehearsal with its age, a new one where that is old, the way to a step's dialog."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace

import pytest

from cockpit.model.rehearsal import Outcome, Rehearsal, Rehearsed
from cockpit.model.snapshot import Snapshot
from cockpit.screens.readiness import LEAST_S, SETTLED_S
from tests.ui import snapshots
from tests.ui.conftest import cockpit
from widgets.line import plain
from widgets.readiness_rows import Stood, readiness_rows

HALT = Rehearsed("kill-switch", "Engage the kill switch", "3.1", "Broker outage", "Space b k", Outcome.WORKS, "", "", 6)
DUMP = Rehearsed("restore-postgres", "Restore Postgres", "3.4", "Postgres crash", "Space p r", Outcome.BROKEN,
                 "dump: there is no dump at /backups/pg/latest.dump", "take one (Space p d)", 9)  # fmt: skip
FOUND = Rehearsal(snapshots.NOW - 60, 0.4, "SANDBOX", "hf-1", "ben@jump2", (HALT, DUMP))


async def test_what_would_not_work_is_under_the_hand_with_what_to_do() -> None:
    async with cockpit() as it:
        it.session.readiness.kept = FOUND
        await it.press("5")
        await it.sees("60 s ago by ben@jump2")
        await it.sees("■ 1 would NOT work   ● 1 would work")
        await it.sees("do take one (Space p d)")
        assert it.session.readiness.told == [], "one that is so young is not made again"
        await it.press("k", "enter")
        await it.sees("Stops every new order")
        await it.press("escape", "tab")
        await it.sees("do take one (Space p d)")


async def test_what_is_limited_is_reached_too() -> None:
    limited = tuple(replace(HALT, name=name, outcome=Outcome.LIMITED, reason=name) for name in ("one", "two"))
    async with cockpit() as it:
        it.session.readiness.kept = replace(FOUND, lines=(HALT, limited[0], HALT, limited[1]))
        await it.press("5")
        await it.sees("2 limited")
        for name in ("one", "two", "one"):
            await it.press("tab")
            await it.until(lambda name=name: it.app.screen.picked == ("3.1", name), name)  # type: ignore[misc]


def test_a_list_that_is_cut_says_how_much_is_not_seen() -> None:
    lines = tuple(replace(HALT, name=f"step-{number:02}") for number in range(30))
    for picked in (0, 15, 29):
        stood = Stood(snapshots.NOW, replace(FOUND, lines=lines), lines, picked)
        rows = [plain(row) for row in readiness_rows(stood, 80, 21)]
        seen = [row.split()[3] for row in rows if "step-" in row]
        assert f"step-{picked:02}" in seen
        unseen = 29 - int(seen[-1].removeprefix("step-"))
        assert [row.strip() for row in rows if "more line" in row] == ([f"↓ {unseen} more lines"] if unseen else [])


@pytest.mark.parametrize(("passed", "is_old"), [(2600, True), (2400, False)])
def test_a_change_of_the_kill_switch_makes_it_old(passed: float, is_old: bool) -> None:
    stood = Stood(
        snapshots.NOW, replace(FOUND, at=snapshots.NOW - passed), (HALT, DUMP), switched_at=snapshots.NOW - 2530
    )
    rows = "\n".join(plain(row) for row in readiness_rows(stood, 80, 20))
    assert ("the kill switch has changed since: r rehearses again" in rows) is is_old


def switched(at: float) -> Snapshot:
    switch = snapshots.healthy().kill_switch
    assert switch.value is not None
    return replace(snapshots.healthy(), kill_switch=replace(switch, value=replace(switch.value, since=at)))


async def test_a_change_of_the_kill_switch_has_it_made_anew_once_and_not_too_often() -> None:
    async with cockpit(switched(snapshots.NOW - 90)) as it:
        ready, clock = it.session.readiness, it.clock
        ready.kept = FOUND
        await it.press("5")
        await it.sees("do take one (Space p d)")
        assert ready.told == [] and " OLD " not in it.text()
        it.session.show(switched(snapshots.NOW - 1))
        await it.sees("the kill switch has changed since: rehearsed again in a moment")
        it.app.tick()
        assert ready.told == [], "orders are still in flight"
        clock.passed = SETTLED_S
        await it.sees("LOOKING")
        await it.sees(" OLD  the kill switch has changed since")
        ready.running.set_result(replace(FOUND, at=snapshots.NOW + 1))
        await it.until(lambda: " OLD " not in it.text(), "it is from after the change")
        it.session.show(switched(snapshots.NOW + 2))
        ready.running = Future()
        await it.sees("the kill switch has changed since: rehearsed again in a moment")
        clock.passed += LEAST_S - 1
        it.app.tick()
        assert len(ready.told) == 1, "not so soon"
        clock.passed += 1
        await it.until(lambda: len(ready.told) == 2, "then it is")
        ready.running.set_exception(OSError("no thread"))
        await it.sees("the kill switch has changed since: r rehearses again")
        clock.passed += LEAST_S
        it.app.tick()
        assert len(ready.told) == 2, "once a change"


async def test_one_that_another_cockpit_made_since_the_change_will_do() -> None:
    async with cockpit(switched(snapshots.NOW - 90)) as it:
        it.session.readiness.kept = FOUND
        await it.press("5")
        await it.sees("60 s ago by ben@jump2")
        it.session.readiness.kept = replace(FOUND, at=snapshots.NOW - 5, by="asha@jump1")
        it.session.show(switched(snapshots.NOW - 30))
        await it.sees("ago by asha@jump1")
        assert it.session.readiness.told == []


async def test_an_old_one_stays_to_be_seen_until_the_new_one_is_there() -> None:
    async with cockpit() as it:
        it.session.readiness.kept = replace(FOUND, at=snapshots.NOW - 7200)
        await it.press("5")
        await it.sees("LOOKING")
        await it.sees("there is no dump at")
        await it.press("r")
        await it.sees("It is being rehearsed already")
        it.session.readiness.told[0]("rights in Redis: looked at")
        await it.sees("rights in Redis: looked at")
        it.session.readiness.running.set_result(replace(FOUND, at=snapshots.NOW, lines=(HALT,)))
        await it.sees("● 1 would work")
        assert "NOT work" not in it.text() and "LOOKING" not in it.text()


@pytest.mark.parametrize("key", ["r", "tab", "enter", "j"])
async def test_no_key_fails_where_nothing_was_ever_rehearsed(key: str) -> None:
    async with cockpit() as it:
        it.session.readiness.running = Future()
        it.session.readiness.running.set_exception(OSError("no thread"))
        await it.press("5", key)
        await it.sees("not rehearsed here yet")
