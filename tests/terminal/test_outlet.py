"""The cockpit's own screens, dialogs and themes through the outlet, against a repaint of everything."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.console import Console
from textual import _compositor, events
from textual.drivers.headless_driver import HeadlessDriver
from textual.geometry import Size
from textual.pilot import Pilot

from cockpit.screens.application import CockpitApp
from cockpit.terminal import seams
from cockpit.terminal.gate import GateFilter
from cockpit.terminal.glass import Glass
from cockpit.terminal.outlet import STILL, Outlet
from tests.terminal.emulators import Emulator
from tests.ui import snapshots
from tests.ui.fake_session import FakeSession, StillClock

KEYS = [
    "tab", "z", "escape", "question_mark", "colon", "space", "t", "p", "slash", "a", "K", "b", "right",
    "1", "2", "3", "6", "7", "i", "j", "w", "escape",
]  # fmt: skip
SIZES = [(120, 40), (80, 24), (100, 30)]


class Terminal(HeadlessDriver):
    """Keeps what is written, and can be deaf."""

    emulator: Emulator
    is_deaf = is_silent = False
    frames: list[str]

    @property
    def is_headless(self) -> bool:
        return False

    def has_room(self) -> bool:
        return not self.is_deaf

    def write(self, data: str) -> None:
        if not hasattr(self, "emulator"):
            self.emulator, self.frames = Emulator(*SIZES[0]), []
        self.frames.append(data)
        if getattr(self._app, "is_emulated", True):
            self.emulator.feed(data)


class Cockpit(CockpitApp):
    """The cockpit on a hand-made session and an emulator."""

    is_emulated = True

    def __init__(self, name: str = "healthy") -> None:
        self.session = FakeSession(snapshots.ALL[name]())
        self.outlet = Outlet()
        super().__init__(
            lambda progress, begin: (self.session, lambda view: (("ready", "ok"),)),
            StillClock(),
            gate=GateFilter(),
            outlet=self.outlet,
            driver_class=Terminal,
        )
        self.console._color_system = ColorSystem.TRUECOLOR
        self.console_of_reference = Console(color_system="truecolor", force_terminal=True)

    @property
    def terminal(self) -> Terminal:
        assert isinstance(self._driver, Terminal)
        return self._driver

    def resized(self, columns: int, rows: int) -> None:
        self.terminal._size = (columns, rows)
        self.terminal.emulator.resize(columns, rows)
        self.post_message(events.Resize(Size(columns, rows), Size(columns, rows)))
        self.repaint()  # as the driver does

    def difference(self) -> str | None:
        """Between the emulator and a repaint of all that the compositor has."""
        whole = self.screen._compositor.render_update(full=True, screen_stack=self._background_screens)
        expected = Emulator(*self.size)
        expected.feed(whole.render_segments(self.console_of_reference))  # type: ignore[union-attr]
        return self.terminal.emulator.difference(expected)


steps = st.one_of(
    st.tuples(st.just("key"), st.sampled_from(KEYS)),
    st.tuples(st.just("key"), st.sampled_from(KEYS)),
    st.tuples(st.just("show"), st.sampled_from(sorted(snapshots.ALL))),
    st.tuples(st.just("size"), st.sampled_from(SIZES)),
    st.tuples(st.just("deaf"), st.booleans()),
    st.tuples(st.just("silent"), st.booleans()),
    st.tuples(st.just("lost"), st.none()),
)


async def take(app: Cockpit, pilot: Pilot[Any], step: tuple[str, Any]) -> None:
    kind, value = step
    if kind == "key":
        await pilot.press(value)
    elif kind == "show":
        app.session.show(snapshots.ALL[value]())
    elif kind == "size":
        app.resized(*value)
    elif kind == "deaf":
        app.terminal.is_deaf = value
        if not value:
            app.refresh()
    elif kind == "silent":
        app.terminal.is_silent = value
    else:
        app.terminal.emulator.resize(*app.size)
        app.repaint()


async def play(story: list[tuple[str, Any]]) -> None:
    app = Cockpit()

    async def pilot_of(pilot: Pilot[Any]) -> None:
        while app.desk.session is None:
            await pilot.pause(0.01)
        for step in [*story, ("deaf", False)]:
            await take(app, pilot, step)
            await pilot.pause()
            if not app.terminal.is_deaf:
                found = app.difference()
                assert found is None, f"after {step}: {found}"
        app.exit(0)

    await app.run_async(headless=False, auto_pilot=pilot_of, size=SIZES[0])
    assert app.outlet.why_not is None


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # making a failing story shorter takes minutes
)
@given(st.lists(steps, min_size=3, max_size=10))
def test_every_screen_is_as_a_repaint_would_show_it(story: list[tuple[str, Any]]) -> None:
    asyncio.run(play(story))


def test_a_picture_that_stands_still_says_so_until_the_next_one() -> None:
    app = Cockpit()
    width, height = SIZES[1]

    async def pilot_of(pilot: Pilot[Any]) -> None:
        while app.desk.session is None:
            await pilot.pause(0.01)
        app.resized(width, height)
        await pilot.pause()
        for is_silent in (False, True, True):
            app.terminal.is_deaf, app.terminal.is_silent = True, is_silent
            app.terminal.frames.clear()
            await pilot.press("tab")
            await pilot.pause()
            assert len(app.terminal.frames) <= 1, "it is told once"
            last = app.terminal.emulator.screen.display[height - 1]
            assert (last == STILL.ljust(width)) is is_silent
        app.terminal.is_deaf = False
        app.refresh()
        await pilot.pause()
        assert app.difference() is None
        app.exit(0)

    asyncio.run(app.run_async(headless=False, auto_pilot=pilot_of, size=SIZES[0]))
    assert app.return_code == 0


async def frames_of(app: Cockpit) -> list[str]:
    async def pilot_of(pilot: Pilot[Any]) -> None:
        await pilot.pause()
        await pilot.press("tab")
        await pilot.pause()
        assert app.difference() is None
        app.exit(0)

    await app.run_async(headless=False, auto_pilot=pilot_of, size=SIZES[0])
    return [frame for frame in app.terminal.frames if "H" in frame]


@pytest.mark.parametrize("answer", [True, False])
def test_frames_are_atomic_where_the_terminal_can(answer: bool) -> None:
    app = Cockpit()
    app._sync_available = answer
    frames = asyncio.run(frames_of(app))
    assert frames
    for frame in frames:
        assert frame.startswith("\x1b[?2026h") is answer
        assert frame.endswith("\x1b[?2026l") is answer


def test_this_toolkit_has_every_seam() -> None:
    """A new version of the toolkit that moves one fails here, and nowhere else."""
    app = Cockpit()
    assert seams.missing() == ()
    assert seams.missing_in(app) == ()
    assert seams.missing_in_screen(app.overview) == ()
    assert seams.missing_in_driver() == ()
    assert version("textual") == "8.2.8", (
        "read the toolkit's _display, its updates and its driver again, then move this"
    )


def test_without_a_seam_the_toolkit_shows_everything_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(_compositor.ChopsUpdate, "__init__")
    assert seams.missing()
    monkeypatch.undo()
    monkeypatch.setattr(seams, "missing", lambda: ("ChopsUpdate.spans",))
    app = Cockpit()
    whole = sum(map(len, asyncio.run(frames_of(app))))
    assert app.outlet.why_not == "ChopsUpdate.spans"
    monkeypatch.undo()
    assert sum(map(len, asyncio.run(frames_of(Cockpit())))) < whole


def test_what_cannot_be_encoded_is_left_to_the_toolkit(monkeypatch: pytest.MonkeyPatch) -> None:
    def encode(*_: object) -> str:
        raise AttributeError("no such thing as spans")

    monkeypatch.setattr(Glass, "encode", encode)
    app = Cockpit()
    assert asyncio.run(frames_of(app))
    assert app.outlet.why_not == "AttributeError: no such thing as spans"


async def rendered(app: Cockpit, story: list[tuple[str, Any]], calls: list[str]) -> tuple[int, int]:
    """How often the toolkit put an update together for the story, and how many frames it became."""
    found = (-1, -1)

    async def pilot_of(pilot: Pilot[Any]) -> None:
        nonlocal found
        while app.desk.session is None:
            await pilot.pause(0.01)
        await pilot.pause()
        calls.clear()
        app.terminal.frames.clear()
        for step in story:
            await take(app, pilot, step)
            await pilot.pause()
            assert app.difference() is None
        found = len(calls), len(app.terminal.frames)
        app.exit(0)

    await app.run_async(headless=False, auto_pilot=pilot_of, size=SIZES[0])
    return found


@pytest.mark.parametrize(
    ("story", "is_direct"),
    [
        ([("show", "broker_down")], True),
        ([("key", "tab"), ("key", "tab")], True),
        ([("key", "question_mark"), ("show", "broker_down")], False),
        ([("key", "t")], False),
    ],
)
def test_what_changes_on_a_screen_that_nothing_lies_on_goes_past_the_compositor(
    story: list[tuple[str, Any]], is_direct: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    original = _compositor.Compositor.render_update

    def render_update(self: Any, full: bool = False, **options: Any) -> object:
        if not full:
            calls.append("update")
        return original(self, full=full, **options)

    monkeypatch.setattr(_compositor.Compositor, "render_update", render_update)
    updates, frames = asyncio.run(rendered(Cockpit(), story, calls))
    assert frames > 0
    assert (updates == 0) is is_direct


@pytest.mark.parametrize("seam", [*seams.UNSETTLED])
def test_a_screen_that_says_nothing_of_what_is_due_is_drawn_by_the_toolkit(seam: str) -> None:
    class Screen:
        _compositor = type("", (), {"_dirty_regions": ()})

    screen: Any = Screen()
    for each in seams.UNSETTLED:
        if each != seam:
            setattr(screen, each, False)
    assert seams.missing_in_screen(screen) == (f"Screen.{seam}",)
    setattr(screen, seam, False)
    assert seams.missing_in_screen(screen) == ()
