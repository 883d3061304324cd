"""Hostile text everywhere, on every screen: nothing raw reaches the terminal, the layout holds, nothing crashes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from textual import events
from textual.app import ComposeResult
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Static

from cockpit.screens.incident import IncidentScreen
from cockpit.screens.sheet import Sheet
from cockpit.terminal.gate import passed
from cockpit.text import clean
from tests.terminal.hostile import TEXTS, raw_in, row_widths
from tests.terminal.hostile_world import poison, shown, write_incident
from tests.terminal.test_outlet import SIZES, Cockpit
from widgets.canvas import Canvas

WALL = ["z", "right", "escape", "slash", "a", "enter", "escape", "question_mark", "escape", "colon", "a", "escape"]
DIALOGS = [
    "space", "b", "k", "pagedown", "escape", "escape", "space", "b", "d", "down", "a", "escape", "escape", "p", "p",
    "K", "tab", "escape", "space", "b", "r", "G", "O", "tab", "x", "enter", "ctrl+g", "escape", "escape", "escape",
    "a", "right", "pagedown", "escape", "q", "escape", "t", "tab", "z", "z",
]  # fmt: skip
SCREENS = [
    "2", "j", "enter", "escape", "w", "escape", "s", "escape", "x", "escape", "slash", "e", "enter", "escape",
    "6", "enter", "escape", "z", "pageup", "right", "u", "escape", "j", "r", "right", "x", "escape", "c", "escape",
    "slash", "3", "enter", "n", "escape", "7", "j", "v", "slash", "a", "escape",
]  # fmt: skip
INCIDENT = [
    "3", "enter", "end", "x", "ctrl+end", "pageup", "ctrl+t", "tab", "j", "pagedown", "tab", "s", "escape", "r",
    "escape", "u", "escape", "c", "escape", "slash", "e", "enter", "escape", "1", "n", "a", "escape", "i", "o",
    "escape", "1",
]  # fmt: skip
REHEARSED = [
    "4",
    "j",
    "enter",
    "escape",
    "r",
    "slash",
    "a",
    "escape",
    "5",
    "j",
    "enter",
    "escape",
    "slash",
    "a",
    "escape",
]
ZOOMS = ["tab", "z", "right", "right", "escape"] * 9
"""Every panel in full, and its charts."""
ROUND = [*WALL, *DIALOGS, *SCREENS, *REHEARSED, *INCIDENT]
"""Through every screen and dialog."""
SOON = 30
"""So many turns of the loop are enough for what follows a key, however slow the machine is."""
SEEN = {
    "OverviewScreen", "RunbookScreen", "IncidentScreen", "JobsScreen", "AuditScreen", "HelpScreen", "PaletteScreen",
    "ChooserScreen", "ChooseScreen", "GuardScreen", "ApprovalScreen", "LeaveScreen", "AskScreen", "JobSheet",
    "ResolveScreen", "FormScreen", "DrillsScreen", "ReadinessScreen",
}  # fmt: skip


async def press(app: Cockpit, pilot: Pilot[Any], key: str) -> None:
    """As a person does it: the pilot's own way waits 60 ms a key for the process to be idle."""
    character = key if len(key) == 1 else None
    event = events.Key(key, character)
    event.set_sender(app)
    app.terminal.send_message(event)
    app.desk.clock.passed += 0.5  # type: ignore[attr-defined]
    for _ in range(SOON):
        await asyncio.sleep(0)
    await pilot.pause(0.004)
    while not app.screen._compositor.render_strips() or (key == "3" and not is_ready(app)):
        await pilot.pause(0.004)  # a screen that is about to come


def is_ready(app: Cockpit) -> bool:
    """Whether the incident's text has come from the disk, where its screen is in front."""
    front = app.front
    return not isinstance(front, IncidentScreen) or front.typing.is_loaded


def is_framed(screen: Screen[Any]) -> bool:
    """Whether what is laid over the wall has its right edge: no row was wider than it was counted."""
    canvas = getattr(screen, "canvas", None)
    if not isinstance(screen, Sheet) or not isinstance(canvas, Canvas):
        return True
    return all(row.endswith(("╮", "│", "╯")) for row in canvas.text.split("\n") if row)


async def tour(text: str, keys: list[str], is_ascii: bool = False, is_lost: bool = False) -> str:
    """Everything that was written while the keys were pressed."""
    app = Cockpit()
    app._gate.is_ascii = is_ascii  # type: ignore[union-attr]
    app.is_emulated = False
    session, seen = app.session, set[str]()
    write_incident(session, text)
    poison(session, text)

    async def pilot_of(pilot: Pilot[Any]) -> None:
        while app.desk.session is None:
            await pilot.pause(0.01)
        session.show(shown(session, "broker_down", text, is_lost))
        for key in keys:
            await press(app, pilot, key)
            seen.add(type(app.screen).__name__)
            rows = ["".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips()]
            assert row_widths(rows) == {app.size.width}, key
            assert is_framed(app.screen), (key, app.screen)
        app.exit(0)

    try:
        await app.run_async(headless=False, auto_pilot=pilot_of, size=SIZES[0])
    finally:
        session.incidents.stop(5.0)
    assert app.outlet.why_not is None
    assert not session.submitted
    assert keys is not ROUND or seen == SEEN
    return "".join(app.terminal.frames)


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_nothing_raw_on_any_screen(name: str) -> None:
    assert raw_in(asyncio.run(tour(TEXTS[name], ROUND))) is None


@pytest.mark.parametrize("name", ["osc", "wide", "marks"])
def test_nothing_raw_in_any_panel_in_full_while_nothing_answers(name: str) -> None:
    assert raw_in(asyncio.run(tour(TEXTS[name], ZOOMS, is_lost=True))) is None


def test_a_megabyte_is_cut_where_it_comes_in() -> None:
    assert len(clean("x\x1b[31m中" * 150_000)) == 200


def test_nothing_but_ascii_where_the_terminal_has_no_more() -> None:
    for name in ("emoji", "wide", "marks", "controls"):
        output = asyncio.run(tour(TEXTS[name], WALL, is_ascii=True))
        assert output.isascii()
        assert raw_in(output) is None


@settings(max_examples=400, deadline=None)
@given(
    st.text(st.characters(categories=["Cc", "Cf", "Cs", "Cn", "Co", "Mn", "So", "Sk", "Zl", "Lo", "Ll"]), max_size=30)
)
def test_the_gate_keeps_widths_and_lets_nothing_through(text: str) -> None:
    for is_ascii in (False, True):
        shown = passed(text, is_ascii)
        assert raw_in(shown) is None
        assert row_widths([shown]) == {max(0, *row_widths([shown]))}
        assert shown.isascii() or not is_ascii
        assert passed(shown, is_ascii) == shown


@settings(
    max_examples=5, deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.explicit, Phase.generate)
)
@given(st.text(max_size=40))
def test_any_text_is_harmless(text: str) -> None:
    assert raw_in(asyncio.run(tour(text, WALL[:8]))) is None


class Bare(Screen[None]):
    """Text as it came, in a widget that trusts it."""

    def compose(self) -> ComposeResult:
        for text in TEXTS.values():
            yield Static(text, markup=False)


def test_the_gate_alone_stops_everything() -> None:
    app = Cockpit()

    async def pilot_of(pilot: Pilot[Any]) -> None:
        await app.push_screen(Bare())
        await pilot.pause()
        assert app.difference() is None
        app.exit(0)

    asyncio.run(app.run_async(headless=False, auto_pilot=pilot_of, size=SIZES[0]))
    assert raw_in("".join(app.terminal.frames)) is None
