"""Going from screen to screen: nothing stops, nothing hidden draws, everything is as it was on coming back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cockpit import keymap
from cockpit.model.job import Phase
from cockpit.screens.gallery import PLACES
from tests.ui import snapshots
from tests.ui.conftest import cockpit


def test_every_number_leads_to_a_screen_that_is_built() -> None:
    named = {row.action for row in keymap.KEYS if row.action.startswith("go(")}
    assert named == {f"go({place.name!r})" for place in PLACES}
    assert {place.name for place in PLACES} <= set(keymap.SCOPES)


async def test_there_and_back_by_numbers() -> None:
    async with cockpit(replace(snapshots.healthy(), jobs=(snapshots.engaged(Phase.DONE),))) as it:
        await it.press("z", "6")
        await it.sees("Engage the kill switch")
        assert "Redis" not in it.app.screen.query_one("#body").text  # type: ignore[attr-defined]
        await it.press("6", "1")
        await it.until(lambda: it.app.screen is it.app.overview, "the wall")
        assert it.app.overview.stance.is_zoomed, "as it was"
        await it.press("6")
        await it.until(lambda: len(it.app.screen_stack) == 2, "jobs again, and only once")


async def test_only_what_is_to_be_seen_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    async with cockpit() as it:
        await it.press("6")
        await it.sees("no job yet")
        drawn: list[Any] = []
        monkeypatch.setattr(it.app.overview, "draw", lambda: drawn.append(1))
        it.session.show(replace(snapshots.healthy(), jobs=(snapshots.engaged(Phase.RUNNING),)))
        await it.sees("1 job running")
        await it.press("K")
        await it.sees("Cancel")
        it.session.show(replace(snapshots.healthy(), jobs=(snapshots.engaged(Phase.DONE),)))
        await it.until(lambda: "jobs 0" in it.app.front.top.text, "the screen beneath a dialog goes on")
        assert drawn == []
        await it.press("escape", "1")
        await it.until(lambda: bool(drawn), "the wall draws when it comes to the front")


async def test_the_halt_and_the_chooser_are_everywhere() -> None:
    async with cockpit() as it:
        await it.press("6", "K")
        await it.sees("Stops every new order")
        await it.press("escape", "space", "b")
        await it.sees("Release the kill switch")
        await it.press("escape", "colon", *"overview", "enter")
        await it.until(lambda: it.app.screen is it.app.overview, "the wall")


async def test_jobs_are_selected_by_name_and_shown_in_full() -> None:
    first = snapshots.engaged(Phase.DONE)
    second = replace(first, id="20260620-200000-000-reroute.away-1", title="Reroute IBKR", phase=Phase.IN_DOUBT)
    async with cockpit(replace(snapshots.healthy(), jobs=(first,))) as it:
        it.session.jobs[first.id] = first
        await it.press("6", "j")
        it.session.show(replace(snapshots.healthy(), jobs=(second, first)))
        await it.sees("IN DOUBT: Reroute IBKR")
        assert it.app.screen.job is first  # type: ignore[attr-defined]
        await it.press("enter")
        await it.sees("PROVEN")
        await it.press("escape", "k")
        await it.until(lambda: it.app.screen.job is second, "the newer one")  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", [(1, 1), (40, 10), (80, 24), (120, 40), (200, 60)])
@pytest.mark.parametrize("key", ["1", "2", "4", "5", "6", "7"])
async def test_every_screen_at_every_size(key: str, size: tuple[int, int]) -> None:
    async with cockpit(replace(snapshots.hostile(), jobs=(snapshots.engaged(Phase.RUNNING),)), size=size) as it:
        await it.press(key, "down", "enter", "escape")
        await it.pilot.resize_terminal(100, 30)
        await it.press("1")
        assert it.app._exception is None


@pytest.mark.parametrize(
    ("phase", "said"), [(Phase.RUNNING, "goes on; 6"), (Phase.IN_DOUBT, "is IN DOUBT; 6"), (Phase.DONE, "")]
)
async def test_coming_back_says_what_was_left_behind(phase: Phase, said: str) -> None:
    async with cockpit(replace(snapshots.healthy(), jobs=(snapshots.engaged(phase),))) as it:
        if said:
            await it.sees(f"Yours: Engage the kill switch {said} shows it")
        else:
            assert "Yours" not in it.text()


async def test_what_was_begun_here_was_not_left_behind() -> None:
    job = replace(snapshots.engaged(Phase.RUNNING), submitted_at=snapshots.NOW + 5)
    async with cockpit(replace(snapshots.healthy(), jobs=(job,))) as it:
        await it.sees("1 job running")
        assert "Yours" not in it.text()


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
async def test_help_and_leaving_are_on_the_key_bar_of_every_screen(place: Any) -> None:
    job = replace(snapshots.engaged(Phase.IN_DOUBT), action="kill_switch.engage")
    number = next(row.keys[0] for row in keymap.KEYS if row.action == f"go({place.name!r})")
    async with cockpit(replace(snapshots.healthy(), jobs=(replace(job, by="ravi@jump2"),)), size=(80, 24)) as it:
        await it.press(number)
        await it.until(lambda: place.name == it.app.front.SCOPE, place.name)
        for shown in ("K halt", "Space steps", "? help", "q quit"):
            await it.sees(shown)
