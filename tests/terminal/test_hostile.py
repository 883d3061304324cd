"""Hostile text everywhere, on every screen: nothing raw reaches the terminal, the layout holds, nothing crashes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from textual.app import ComposeResult
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Static

from cockpit.model.audit import AuditRecord, Recent
from cockpit.terminal.gate import passed
from cockpit.text import clean
from tests.terminal.hostile import TEXTS, poisoned, poisoned_snapshot, raw_in, row_widths
from tests.terminal.test_outlet import SIZES, Cockpit
from tests.ui import snapshots

ROUND = [
    "z", "right", "escape", "slash", "a", "enter", "escape", "question_mark", "escape", "colon", "a", "escape",
    "space", "b", "escape", "escape", "p", "p", "K", "escape", "t", "tab", "z", "z",
    "2", "j", "enter", "escape", "w", "escape", "s", "escape", "6", "enter", "escape", "z", "u", "escape",
    "7", "j", "v", "1",
]  # fmt: skip
"""Through every screen and dialog."""


async def tour(text: str, names: tuple[str, ...], keys: list[str], is_ascii: bool = False) -> str:
    """Everything that was written while the keys were pressed."""
    app = Cockpit()
    app._gate.is_ascii = is_ascii  # type: ignore[union-attr]
    app.is_emulated = False
    session = app.session
    session.plan = poisoned(session.plan, text)
    steps = tuple(replace(step, title=text, summary=text, section_title=text) for step in session.actions())
    session.actions = lambda: steps  # type: ignore[method-assign]
    record = AuditRecord(snapshots.NOW, session.operator, "confirmed", "SANDBOX", "hf-1", "", "", "", "0")
    session.shelf.recent = Recent((poisoned(record, text), record))
    session.jobs = {name: poisoned(job, text) for name, job in session.jobs.items()}

    async def pilot_of(pilot: Pilot[Any]) -> None:
        while app.desk.session is None:
            await pilot.pause(0.01)
        for name in names:
            session.show(poisoned_snapshot(snapshots.ALL[name](), text))
            for key in keys:
                await pilot.press(key)
                rows = ["".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips()]
                assert row_widths(rows) == {app.size.width}, key
        app.exit(0)

    await app.run_async(headless=False, auto_pilot=pilot_of, size=SIZES[0])
    assert app.outlet.why_not is None
    return "".join(app.terminal.frames)


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_nothing_raw_on_any_screen(name: str) -> None:
    assert raw_in(asyncio.run(tour(TEXTS[name], ("broker_down",), ROUND))) is None


def test_a_megabyte_is_cut_where_it_comes_in() -> None:
    assert len(clean("x\x1b[31m中" * 150_000)) == 200


def test_nothing_but_ascii_where_the_terminal_has_no_more() -> None:
    for name in ("emoji", "wide", "marks", "controls"):
        output = asyncio.run(tour(TEXTS[name], ("broker_down",), ROUND[:12], is_ascii=True))
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
    assert raw_in(asyncio.run(tour(text, ("broker_down",), ROUND[:8]))) is None


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
