"""Keys on the wall, pressed on a running cockpit."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from textual import events

from cockpit import keymap
from cockpit.model.incident import Incident
from cockpit.model.job import Phase
from cockpit.model.latch import Latch
from cockpit.model.sample import Sample
from cockpit.model.severity import Severity
from cockpit.model.states import KillSwitch
from cockpit.screens.gallery import PLACES, Place
from cockpit.screens.parting import parting
from cockpit.screens.sheet import Sheet
from tests.ui import snapshots
from tests.ui.conftest import Cockpit, cockpit
from widgets.help_rows import help_pages, help_rows
from widgets.keybar import key_bar
from widgets.line import plain, width_of


def test_no_key_means_two_things_in_one_scope() -> None:
    for scope in keymap.SCOPES:
        keys = [key for row in keymap.of(scope) for key in row.keys]
        assert len(keys) == len(set(keys)), scope
    assert len({row.id for row in keymap.KEYS}) == len(keymap.KEYS)
    assert {row.scope for row in keymap.KEYS} == set(keymap.SCOPES)


def test_keys_that_tmux_and_terminals_own_are_left_alone() -> None:
    taken = {f"ctrl+{letter}" for letter in "abhijklqsz"}
    assert not taken & {key for row in keymap.KEYS for key in row.keys}


@pytest.mark.parametrize(
    ("scope", "own"),
    [
        ("runbook", ("Enter open", "w walk", "/ filter", "1-7 screens")),
        ("incident", ("Enter write", "Tab panes", "c close", "/ search")),
        ("drills", ("Enter begin", "s stop", "r report", "/ filter")),
        ("readiness", ("Enter open", "r again", "Tab trouble", "/ filter")),
        ("audit", ("v verify", "e export", "/ filter", "1-7 screens")),
    ],
)
def test_on_a_narrow_screen_its_own_keys_come_before_those_of_every_screen(scope: str, own: tuple[str, ...]) -> None:
    bar = plain(key_bar(keymap.bar(scope), 80))
    assert width_of(key_bar(keymap.bar(scope), 80)) == 80
    assert [each for each in ("K halt", "Space steps", *own, "? help", "q quit") if each not in bar] == []


def test_on_the_usual_screen_an_incident_can_be_exported() -> None:
    bar = plain(key_bar(keymap.bar("incident"), 120))
    assert [each for each in ("r roles", "e export", "/ search") if each not in bar] == []


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
async def test_every_key_of_every_screen_is_answered(place: Place) -> None:
    keys = [key for row in keymap.bar(place.name) for key in row.keys if key != "q"]
    number = next(row.keys[0] for row in keymap.KEYS if row.action == f"go({place.name!r})")
    async with cockpit() as it:
        for key in keys:
            await it.press(number)
            await it.press(key)
            assert it.app._exception is None and it.app.is_running
            while isinstance(it.app.screen, Sheet):
                await it.press("escape")


async def test_selecting_zooming_and_back() -> None:
    async with cockpit() as it:
        await it.press("right", "down")
        assert it.app.overview.stance.selected == "feeds"
        await it.press("right")
        assert it.app.overview.stance.selected == "redis"
        await it.press("z")
        await it.sees("Memory used, MB")
        await it.press("right")
        await it.sees("2 of 3")
        await it.press("z")
        await it.sees("Postgres")
        await it.press("escape")
        assert it.app.overview.stance.selected is None


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_zoom_without_selection_takes_the_worst(size: tuple[int, int]) -> None:
    async with cockpit(snapshots.feed_late(), size=size) as it:
        await it.press("z")
        await it.sees("Lag p95 from exchange to Redis")
        await it.press("tab")
        await it.sees("Ticks, a second")


async def test_filter_is_typed_kept_and_cleared() -> None:
    async with cockpit() as it:
        await it.press("slash", *"zerodha")
        await it.sees("nothing here matches zerodha")
        await it.press("enter")
        await it.press("K")
        await it.sees("Cancel")
        await it.press("escape", "escape")
        await it.sees("moneycontrol")


async def test_freezing_holds_the_wall_but_not_the_truth() -> None:
    async with cockpit() as it:
        await it.press("p")
        it.session.show(snapshots.broker_down())
        await it.sees("■ HALTED")
        assert "1100" not in it.app.overview.wall.text
        await it.press("p")
        await it.until(lambda: "1100" in it.app.overview.wall.text, "thawed")


async def test_ctrl_c_only_says_how_to_leave() -> None:
    async with cockpit() as it:
        await it.press("ctrl+c")
        await it.sees("q leaves")
        assert it.app.is_running


async def test_q_leaves_at_once_and_asks_only_while_a_job_runs() -> None:
    async with cockpit() as it:
        await it.press("q")
        await it.until(lambda: not it.app.is_running or it.app._exit, "left")
    async with cockpit(replace(snapshots.healthy(), jobs=(snapshots.engaged(Phase.VERIFYING),))) as it:
        await it.press("q")
        await it.sees("goes on without the cockpit")
        await it.press("y")
        assert not it.app._exit, "too early to be meant"
        await it.press("y", after_s=2)
        await it.until(lambda: it.app._exit, "left")


async def test_chooser_leads_to_the_dialog() -> None:
    async with cockpit() as it:
        await it.press("space")
        await it.sees("3.1 Broker outage")
        await it.press("b")
        await it.sees("Release the kill switch")
        await it.press("k")
        await it.sees("Stops every new order")
        assert it.session.submitted == []


async def test_chooser_says_why_a_step_is_refused() -> None:
    from cockpit.model.plan import Verdict
    from tests.ui.fake_session import halt_plan

    async with cockpit() as it:
        it.session.plan = halt_plan(Verdict.FAIL)
        await it.press("space", "b")
        await it.sees("refused: Redis takes writes")


async def test_chooser_asks_again_and_shows_nobody_a_plan() -> None:
    from cockpit.model.plan import Verdict
    from tests.ui.fake_session import halt_plan

    async with cockpit() as it:
        it.session.plan = halt_plan(Verdict.FAIL)
        await it.press("space", "b")
        await it.sees("refused: Redis takes writes")
        it.session.plan = halt_plan()
        it.app.screen.tick()  # type: ignore[attr-defined]
        await it.until(lambda: "refused" not in it.text(), "possible again")
        assert it.session.prepared == [] and it.session.peeked.count("kill-switch") >= 2


async def test_chooser_asks_nothing_twice_at_a_time() -> None:
    from concurrent.futures import Future

    from cockpit.model.plan import Plan

    async with cockpit() as it:
        asked: list[str] = []

        def hang(action_id: str, parameters: dict[str, str], is_shown: bool = True) -> Future[Plan]:
            asked.append(action_id)
            return Future()

        it.session.prepare = hang  # type: ignore[method-assign]
        await it.press("space", "b")
        for _ in range(5):
            it.app.screen.tick()  # type: ignore[attr-defined]
        assert len(asked) == len(set(asked)) == 2


async def test_palette_finds_and_opens_but_never_executes() -> None:
    async with cockpit() as it:
        await it.press("colon", *"engage")
        await it.press("enter")
        await it.sees("Stops every new order")
        assert it.session.submitted == []
        await it.press("escape", "colon", *"thday", "enter")
        await it.until(lambda: it.app.desk.look.name == "day", "day")
        await it.press("colon", *"zoom pos", "enter")
        await it.sees("Commits, a second")


def test_no_key_is_written_as_another_where_there_is_only_ascii() -> None:
    assert all(row.written.replace("…", "").isascii() for row in keymap.KEYS)


def words_of(text: str) -> Counter[str]:
    return Counter(text.replace(",", " ").replace(";", " ").casefold().split())


@pytest.mark.parametrize("size", [(72, 20), (116, 34), (192, 54), (16, 6)])
def test_help_has_every_key_and_all_that_it_does(size: tuple[int, int]) -> None:
    pages = help_pages(*size)
    assert all(len(page) <= size[1] and width_of(row) <= size[0] for page in pages for row in page)
    said = words_of("\n".join(plain(row) for page in pages for row in page))
    if size[0] > 16:
        told = (*keymap.SCOPES.values(), *(f"{row.written} {row.help}" for row in keymap.KEYS))
        assert words_of("\n".join(told)) - said == Counter()


def test_the_first_page_has_what_is_needed_in_need() -> None:
    first = "\n".join(map(plain, help_pages(116, 34, "overview")[0]))
    for scope in ("overview", "everywhere", "guard", "chooser"):
        assert keymap.SCOPES[scope] in first


def test_a_key_is_found_by_its_label_and_by_its_words() -> None:
    for needle in ("halt", "KILL switch"):
        (page,) = help_pages(100, 40, "", needle)
        assert "Engage the kill switch" in "\n".join(map(plain, page))
    assert help_pages(100, 40, "", "nobody does this") == ((),)


@pytest.mark.parametrize(
    ("size", "at", "foot"),
    [
        ((116, 36), 0, "page 1 of 4   PgDn PgUp turn it   / finds a key   any other key closes"),
        ((76, 22), 99, "page 9 of 9   PgDn PgUp turn it   / finds a key   any other key closes"),
        ((46, 22), 1, "page 2 of"),
    ],
)
def test_the_foot_of_the_help_says_how_to_go_on(size: tuple[int, int], at: int, foot: str) -> None:
    rows = help_rows(*size, at)
    assert foot in plain(rows[-1]) and {width_of(row) for row in rows} == {size[0]} and len(rows) == size[1]


AN_INCIDENT = Incident("1", "IBKR down", Severity.P1, snapshots.NOW - 60)
LATCH = Latch("redis", "asha", "IBKR is down", snapshots.NOW_MS - 60_000, is_held=True)
HALTED = snapshots.good(KillSwitch(True, True, "IBKR is down", "asha", snapshots.NOW - 60))


async def test_a_latched_halt_is_left_at_the_second_q() -> None:
    async with cockpit(replace(snapshots.healthy(), latch=LATCH, kill_switch=HALTED)) as it:
        await it.press("q")
        await it.sees("nobody watches it. q again leaves")
        await it.press("q", after_s=60)
        await it.sees("nobody watches it. q again leaves")
        assert not it.app._exit, "that was long ago"
        await it.press("q", after_s=1)
        await it.until(lambda: it.app._exit, "left")
        assert "by asha since 19:43:12Z" in it.app.desk.parting[0]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, ()),
        (
            {"latch": LATCH, "kill_switch": HALTED},
            ("trading is HALTED by asha since 19:43:12Z; with no cockpit open on this host nobody watches over it",),
        ),
        ({"kill_switch": HALTED}, ("trading is HALTED by asha since 19:43:12Z",)),
        (
            {"latch": replace(LATCH, is_held=False), "kill_switch": Sample()},
            (
                "HALT WAITING, by asha since 19:43:12Z: Redis has not taken it; "
                "it is engaged only while a cockpit is open on this host",
            ),
        ),
        ({"jobs": (snapshots.engaged(Phase.VERIFYING),)}, ("1 job goes on: Engage the kill switch",)),
        ({"incidents": Sample.good((AN_INCIDENT,), snapshots.NOW, 0.1)}, ("incident open: IBKR down",)),
        (
            {"incidents": Sample.good((replace(AN_INCIDENT, is_drill=True),), snapshots.NOW, 0.1)},
            ("the drill goes on: IBKR down",),
        ),
    ],
)
def test_what_stays_is_told_and_nothing_where_nothing_does(changed: dict[str, Any], said: tuple[str, ...]) -> None:
    assert parting(replace(snapshots.healthy(), **changed), snapshots.NOW) == said


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_help_is_turned_looked_through_and_closed(size: tuple[int, int]) -> None:
    async with cockpit(size=size) as it:
        await it.press("question_mark")
        await it.sees("Engage the kill switch")
        await it.sees("page 1 of")
        await it.press("pagedown")
        await it.sees("page 2 of")
        await it.press("end", "slash", *"whole chain")
        await it.sees("Walk the whole chain of the journal")
        assert "Engage the kill switch" not in it.text()
        await it.press("q", "q", "enter")
        await it.sees("no key has this text")
        await it.press("escape", "home")
        await it.sees("Engage the kill switch")
        await it.sees("page 1 of")
        await it.press("x")
        await it.sees("Postgres")


async def test_all_themes_show_everything() -> None:
    async with cockpit(snapshots.broker_down()) as it:
        for _ in it.app.desk.looks:
            await it.press("t")
            await it.sees("HALTED")


@pytest.mark.parametrize("name", snapshots.ALL)
@pytest.mark.parametrize("size", [(80, 24), (200, 60), (1, 1)])
async def test_every_state_at_every_size(name: str, size: tuple[int, int]) -> None:
    async with cockpit(snapshots.ALL[name](), size=size) as it:
        await it.pilot.resize_terminal(100, 30)
        await it.press("z", "z", "K", "escape")
        assert it.app._exception is None


async def test_hostile_text_neither_acts_nor_passes() -> None:
    async with cockpit(snapshots.hostile()) as it:
        assert it.app.is_running
        for keys in (("z",), ("z",), ("space", "b", "escape"), ("colon", "escape")):
            await it.press(*keys)
        strips = it.app.screen._compositor.render_strips()
        assert all(segment.text.isprintable() for strip in strips for segment in strip if not segment.control)


@pytest.mark.parametrize("scope", ["overview", "jobs", "incident"])
def test_help_begins_with_the_keys_of_the_screen_that_asks(scope: str) -> None:
    rows = [plain(row).strip() for page in help_pages(100, 40, scope) for row in page]
    assert rows[0] == keymap.SCOPES[scope] and rows.count(keymap.SCOPES[scope]) == 1


def at_once(it: Cockpit, *keys: str) -> None:
    """As a slow line delivers them: all before any of them is looked at."""
    for key in keys:
        it.app.post_message(events.Key(key, key if len(key) == 1 else None))


async def test_keys_that_come_at_once_go_where_they_were_meant() -> None:
    async with cockpit() as it:
        at_once(it, "question_mark", "x", "x", "2")
        await it.until(lambda: type(it.app.screen).__name__ == "RunbookScreen", "two keys close one help")
        at_once(it, "question_mark", "escape", "escape", "escape", "space", "b", "k")
        await it.sees("Stops every new order")
        at_once(it, "y", "escape", "escape", "escape")
        await it.until(lambda: len(it.app.screen_stack) == 1, "only the wall is left")
        assert it.session.submitted == [], "what was typed ahead confirms nothing"
        assert it.app.is_running and it.app._exception is None
