"""The runbook's screen: what is suggested goes first, steps say whether they would work, a section can be walked."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace

import pytest

from actions.catalogue import ACTIONS
from cockpit.model.job import Phase
from cockpit.model.plan import Check, Plan, Verdict
from cockpit.model.walk import Passed, Walk
from cockpit.screens.prechecks import AT_ONCE, Prechecks
from cockpit.storage.walks import keep_walk, read_walk
from tests.ui import snapshots
from tests.ui.conftest import Cockpit, cockpit
from tests.ui.fake_session import halt_plan
from widgets.line import plain, width_of
from widgets.runbook_rows import DETAIL, Book, ordered, runbook_rows, suggestions, visible
from widgets.standing import OLD_S, READY, standing


def text_of(book: Book, width: int = 120, height: int = 37) -> str:
    return "\n".join(plain(row) for row in runbook_rows(book, width, height))


def test_suggested_sections_go_first_worst_first() -> None:
    findings = snapshots.broker_down().assessment.findings
    suggested = suggestions(findings)
    assert next(iter(suggested)) == findings[0].section
    steps = ordered(ACTIONS, ["3.3", "3.1"])
    assert list(dict.fromkeys(step.section for step in steps))[:3] == ["3.3", "3.1", "3.2"]
    assert f"suggested by ■ P1 {findings[0].summary}" in text_of(Book(snapshots.NOW, ACTIONS, suggested=suggested))


def test_a_verdict_that_is_not_renewed_is_none() -> None:
    said = standing(halt_plan(Verdict.FAIL), "", 100.0)
    assert said.mark.word == "blocked" and said.why.startswith("Redis takes writes")
    assert said.as_of(101.0) is said
    assert said.as_of(100.0 + OLD_S + 1).mark.word == "unknown"
    assert standing(halt_plan(Verdict.UNKNOWN), "", 1.0).mark.word == "unknown"
    for excused, word in ((Verdict.UNKNOWN, "unknown"), (Verdict.FAIL, "would fail")):
        tried = replace(
            halt_plan(), checks=(Check("Redis answers", Verdict.WARN, "tried all the same", excused=excused),)
        )
        said = standing(tried, "", 1.0)
        assert (said.mark.word, said.why) == (word, "Redis answers: tried all the same")
    assert standing(None, "no Redis is configured", 1.0).why == "no Redis is configured"


def test_all_that_stands_against_a_step_is_told_with_what_makes_it_true() -> None:
    row = next(one for one in ACTIONS if one.step == "replay")
    checks = (
        Check("kill switch", Verdict.FAIL, "not engaged: press K first, or live orders mix in with what is put back"),
        Check("state kept", Verdict.FAIL, "nothing is kept yet; take a snapshot first (Space r s)"),
        Check("program", Verdict.UNKNOWN, "replay.py is not in /platform: " + "far " * 99),
    )
    said = standing(replace(halt_plan(), checks=checks), "", snapshots.NOW)
    for width in (80, 120):
        book = Book(snapshots.NOW, (row,), picked="replay", standings={"replay": said})
        rows = [plain(each) for each in runbook_rows(book, width, 24)]
        assert "blocked (+2)  kill" in rows[1]
        detail = " ".join(each.strip() for each in rows[-DETAIL:])
        assert "press K first" in detail and "take a snapshot first (Space r s)" in detail, detail
        assert "never taken here" in rows[-1]


@pytest.mark.parametrize(
    ("step", "word"),
    [("scale", "asks which deployment"), ("restart-container", "asks which container"), ("halt-router", "ready")],
)
def test_a_step_without_a_default_says_what_it_asks_for(step: str, word: str) -> None:
    row = next(one for one in ACTIONS if one.step == step)
    said = standing(halt_plan(), "", snapshots.NOW, row.chosen, row.asks)
    text = text_of(Book(snapshots.NOW, (row,), picked=step, standings={step: said}), width=80)
    assert text.count(word) == 2, "in its line, and in full"
    assert standing(halt_plan(Verdict.FAIL), "", 1.0, row.chosen, row.asks).mark.word == "blocked"


@pytest.mark.parametrize("width", [20, 40, 80, 109, 110, 120, 200])
@pytest.mark.parametrize("height", [1, 5, 21, 57])
def test_rows_fit_and_the_picked_step_is_among_them(width: int, height: int) -> None:
    walk = Walk("3.3", "Redis crash", ("restart-redis", "replay"), "asha@jump1", 0.0, (Passed.SKIPPED,))
    for step in ACTIONS:
        book = Book(snapshots.NOW, ACTIONS, picked=step.step, walk=walk)
        rows = runbook_rows(book, width, height)
        assert len(rows) <= height or height < 2
        assert all(width_of(row) <= width for row in rows), [plain(row) for row in rows if width_of(row) > width]
        if height > 3:
            assert step in visible(book, width, height)


def test_the_walk_is_kept_whole_and_only_for_us(tmp_path: object) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path)) / "state"
    assert read_walk(folder) is None
    walk = Walk("3.3", "Redis crash", ("restart-redis", "replay"), "asha@jump1", 5.0, (Passed.PROVEN,), "job-1")
    keep_walk(folder, walk)
    assert read_walk(folder) == walk
    assert (folder / "walk.json").stat().st_mode & 0o777 == 0o600
    (folder / "walk.json").write_text('{"section": 3}')
    assert read_walk(folder) is None
    keep_walk(folder, None)
    keep_walk(folder, None)
    assert list(folder.iterdir()) == []


async def test_each_step_says_whether_it_would_work_and_nobody_is_shown_a_plan() -> None:
    async with cockpit() as it:
        it.session.plan = halt_plan(Verdict.FAIL)
        await it.press("2")
        await it.sees("■ blocked  Redis takes writes: primary")
        await it.sees("never taken")
        assert it.session.prepared == [] and it.session.peeked


async def test_no_step_waits_for_the_next_second_to_be_looked_at_first() -> None:
    async with cockpit() as it:
        waiting: list[Future[Plan]] = []

        def prepare(name: str, parameters: dict[str, str], is_shown: bool = True) -> Future[Plan]:
            waiting.append(Future())
            return waiting[-1]

        it.session.prepare = prepare  # type: ignore[method-assign]
        asked = Prechecks(it.app.desk, lambda: None)
        asked.ask(ACTIONS[: AT_ONCE + 2])
        assert len(waiting) == AT_ONCE
        for count in range(AT_ONCE + 2):
            await it.until(lambda at=count: len(waiting) > at, "asked")  # type: ignore[misc]
            waiting[count].set_result(halt_plan(Verdict.PASS))
        await it.until(lambda: all(asked.of(step).mark is READY for step in ACTIONS[: AT_ONCE + 2]), "all said")
        assert len(waiting) == AT_ONCE + 2, "each once"


async def test_enter_opens_the_step_under_the_hand() -> None:
    async with cockpit() as it:
        await it.press("2", "j", "enter")
        await it.sees("Lets every order pass again")
        await it.press("escape", "k", "enter")
        await it.sees("Stops every new order")
        await it.press("escape", "escape")
        await it.until(lambda: it.app.screen is it.app.overview, "the wall")


async def test_the_filter_keeps_what_matches() -> None:
    async with cockpit() as it:
        await it.press("2", "slash", *"release")
        await it.until(lambda: "b k" not in it.text(), "only one step")
        await it.press("enter", "enter")
        await it.sees("Lets every order pass again")
        await it.press("escape", "escape")
        await it.sees("Engage the kill switch")
        assert it.app.screen is not it.app.overview


async def walk_first_step(it: Cockpit) -> None:
    await it.press("2", "w")
    await it.sees("Stops every new order")
    await it.press("y", after_s=1)
    await it.sees("Proof")
    it.session.finish()
    await it.sees("PROVEN")
    await it.press("enter", after_s=1)


async def test_a_section_is_walked_step_by_step() -> None:
    async with cockpit() as it:
        await walk_first_step(it)
        await it.sees("Lets every order pass again")
        await it.press("escape")
        await it.sees("3.1 Broker outage: step 2 of 2")
        assert it.session.shelf.kept is not None and it.session.shelf.kept.passed == (Passed.PROVEN,)
        await it.press("s")
        await it.sees("Go on without: Release the kill switch?")
        await it.press("enter")
        assert it.session.shelf.kept.step is not None, "too early to be meant"
        await it.press("enter", after_s=2)
        await it.sees("all 2 steps are behind")
        await it.press("x")
        await it.until(lambda: it.session.shelf.kept is None, "ended")


async def test_another_cockpit_goes_on_where_it_was_left() -> None:
    async with cockpit() as it:
        it.session.shelf.kept = Walk(
            "3.1", "Broker outage", ("kill-switch", "release"), "ravi@jump2", 0.0, (Passed.PROVEN,)
        )
        await it.press("2")
        await it.sees("step 2 of 2")
        assert "ravi@jump2" in it.text()
        await it.press("w")
        await it.sees("Lets every order pass again")


async def test_what_is_not_proven_does_not_lie_behind() -> None:
    async with cockpit() as it:
        await it.press("2", "w")
        await it.sees("Stops every new order")
        await it.press("y", after_s=1)
        await it.sees("Proof")
        await it.press("escape")
        await it.sees("It goes on")
        it.session.finish(Phase.FAILED)
        it.app.screen.tick()  # type: ignore[attr-defined]
        assert it.session.shelf.kept is not None and it.session.shelf.kept.passed == ()
        await it.press("s")
        await it.sees("Go on although this is FAILED: Engage the kill switch?")
        await it.press("escape")
        it.session.finish(Phase.DONE)
        it.app.screen.tick()  # type: ignore[attr-defined]
        await it.sees("step 2 of 2")


async def test_the_order_holds_while_somebody_is_in_the_list() -> None:
    from cockpit.model.finding import Finding
    from cockpit.model.severity import Severity

    finding = Finding("x", "redis", Severity.P1, "redis", "redis is gone", "", "", 0.0, "3.9", "Other")
    async with cockpit() as it:
        steps = it.session.actions()
        other = replace(
            steps[0], step="other", title="Another step", section="3.9", section_title="Other", section_key="o"
        )
        it.session.actions = lambda: (*steps, other)  # type: ignore[method-assign]
        await it.press("2", "j")
        snapshot = snapshots.healthy()
        it.session.show(replace(snapshot, assessment=replace(snapshot.assessment, findings=(finding,))))
        await it.sees("suggested by ■ P1 redis is gone")
        assert it.text().index("3.1 Broker outage") < it.text().index("3.9 Other")
        await it.press("1", "2")
        await it.until(
            lambda: it.text().index("3.9 Other") < it.text().index("3.1 Broker outage"), "first on coming back"
        )


async def test_what_was_read_before_our_own_move_does_not_undo_it() -> None:
    from concurrent.futures import Future

    async with cockpit() as it:
        slow: Future[Walk | None] = Future()
        it.session.shelf.walk = lambda: slow  # type: ignore[method-assign]
        await it.press("2", "w")
        await it.sees("Stops every new order")
        await it.press("escape")
        slow.set_result(None)
        await it.pilot.pause()
        await it.sees("step 1 of 2")


async def test_moves_are_written_one_at_a_time_and_the_last_one_stays() -> None:
    from concurrent.futures import Future

    async with cockpit() as it:
        written: list[tuple[Walk | None, Future[None]]] = []

        def keep(walk: Walk | None) -> Future[None]:
            written.append((walk, Future()))
            return written[-1][1]

        it.session.shelf.keep = keep  # type: ignore[method-assign]
        await walk_first_step(it)
        await it.sees("Lets every order pass again")
        assert len(written) == 1, "begun, has a job, proven: the first is still on its way"
        written[0][1].set_result(None)
        await it.until(lambda: len(written) == 2, "the newest")
        assert written[1][0] is not None and written[1][0].passed == (Passed.PROVEN,)
        written[1][1].set_result(None)
        await it.pilot.pause()
        assert len(written) == 2


@pytest.mark.parametrize("width", [80, 100, 120])
def test_a_title_is_not_cut_and_whether_it_would_work_stands_beside_it(width: int) -> None:
    rows = [plain(row) for row in runbook_rows(Book(0.0, ACTIONS), width, 99)]
    for step in ACTIONS:
        (row,) = [row for row in rows if row.startswith(f"  {step.section_key} {step.key} ")]
        assert step.title in row and step.danger.value in row and "· looking" in row


@pytest.mark.parametrize("width", [80, 120])
def test_what_the_picked_step_does_is_told_in_full(width: int) -> None:
    for step in ACTIONS:
        shown = runbook_rows(Book(0.0, ACTIONS, step.step), width, 24)
        assert len(shown) == 24
        assert step.summary in " ".join(" ".join(plain(row).split()) for row in shown[-DETAIL:])
