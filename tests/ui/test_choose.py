"""Choosing what a step is taken on, before its dialog."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cockpit.model.choice import Choice
from cockpit.screens.choose import ChooseScreen, open_step
from cockpit.screens.guard import GuardScreen
from tests.ui.conftest import Cockpit, cockpit
from widgets.choose_rows import choose_rows
from widgets.field import Field
from widgets.line import plain, width_of

DEPLOYMENTS = tuple(Choice("deployment", name, "2 of 2 pods ready") for name in ("ws-gateway", "router", "api"))
NUMBERS = tuple(Choice("to", str(number), "") for number in range(5))


async def opened(it: Cockpit) -> None:
    it.session.offered = {"deployment": DEPLOYMENTS, "to": NUMBERS}
    row = replace(it.session.actions()[0], parameters=(("deployment", "?"), ("to", "?")))
    open_step(it.app, it.app.desk, row)
    await it.sees("router")


async def test_arrows_and_enter_choose_each_in_turn_and_the_dialog_comes_last() -> None:
    async with cockpit() as it:
        await opened(it)
        assert "2 of 2 pods ready" in it.text() and it.session.prepared == []
        await it.press("down", "down", "up", "enter")
        await it.sees("router › to")
        await it.press("3", "enter")
        await it.until(lambda: isinstance(it.app.screen, GuardScreen), "the dialog")
        screen = it.app.screen
        assert isinstance(screen, GuardScreen) and screen.chosen == {"deployment": "router", "to": "3"}
        await it.press("enter")
        assert it.session.submitted == []


async def test_letters_narrow_and_escape_leaves_nothing_done() -> None:
    async with cockpit() as it:
        await opened(it)
        await it.press("a")
        await it.until(lambda: "ws-gateway" not in it.text(), "narrowed")
        await it.press("z", "enter")
        assert isinstance(it.app.screen, ChooseScreen), "nothing matches, so nothing is taken"
        await it.press("escape")
        await it.until(lambda: not isinstance(it.app.screen, ChooseScreen), "closed")
        assert it.session.prepared == [] and it.session.submitted == []


KEPT = tuple(Choice("database", f"hedgefund_before_{when}", "put aside") for when in ("2", "1"))


@pytest.mark.parametrize(
    ("offered", "chosen"), [((), ""), (KEPT[:1], "hedgefund_before_2"), (KEPT, "hedgefund_before_1")]
)
async def test_only_several_are_chosen_from(offered: tuple[Choice, ...], chosen: str) -> None:
    async with cockpit() as it:
        it.session.offered = {"database": offered}
        open_step(it.app, it.app.desk, replace(it.session.actions()[0], selects="database"))
        if len(offered) > 1:
            await it.sees("hedgefund_before_1")
            assert it.session.prepared == []
            await it.press("down", "enter")
        await it.until(lambda: isinstance(it.app.screen, GuardScreen), "the dialog")
        assert it.app.screen.chosen == {"database": chosen}  # type: ignore[attr-defined]


async def test_an_error_is_told() -> None:
    async with cockpit() as it:
        row = replace(it.session.actions()[0], parameters=(("deployment", "?"),))
        open_step(it.app, it.app.desk, row)
        await it.sees("there is nothing to choose from")


@pytest.mark.parametrize("width", [40, 76, 84])
def test_rows_are_equally_wide_whatever_they_say(width: int) -> None:
    odd = (*DEPLOYMENTS, Choice("deployment", "x" * 90, "y" * 90), Choice("deployment", "\x1b[2Jé", "\tz"))
    rows = choose_rows("Restart a deployment › deployment", "deployment", odd, Field(), 3, "", width, 20)
    assert {width_of(row) for row in rows} == {width}
    assert "\x1b" not in "".join(plain(row) for row in rows)


async def test_the_hand_stays_on_what_it_came_to_and_the_prompt_says_what_is_chosen() -> None:
    async with cockpit() as it:
        await opened(it)
        assert "which deployment: " in it.text()
        it.session.offered = {"deployment": tuple(reversed(DEPLOYMENTS)), "to": NUMBERS}
        screen = it.app.screen
        assert isinstance(screen, ChooseScreen)
        await it.until(lambda: screen.choices == tuple(reversed(DEPLOYMENTS)), "the list has turned")
        assert screen.matches[screen.at].value == "ws-gateway"
