"""The readiness' screen: the last rehearsal with its age, a new one where that is old, the way to a step's dialog."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace

import pytest

from cockpit.model.rehearsal import Outcome, Rehearsal, Rehearsed
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


@pytest.mark.parametrize(("passed", "is_old"), [(2600, True), (2400, False)])
def test_a_change_of_the_kill_switch_makes_it_old(passed: float, is_old: bool) -> None:
    stood = Stood(
        snapshots.NOW, replace(FOUND, at=snapshots.NOW - passed), (HALT, DUMP), switched_at=snapshots.NOW - 2530
    )
    rows = "\n".join(plain(row) for row in readiness_rows(stood, 80, 20))
    assert ("the kill switch has changed since: r rehearses again" in rows) is is_old


async def test_the_screen_knows_of_that_change() -> None:
    async with cockpit() as it:
        it.session.readiness.kept = replace(FOUND, at=snapshots.NOW - 2600)
        await it.press("5")
        await it.sees("the kill switch has changed since")


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
