"""One cockpit on a fake session, driven by keys."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.pilot import Pilot

from cockpit.model.snapshot import Snapshot
from cockpit.screens.application import CockpitApp
from tests.patience import PATIENCE_S
from tests.ui import snapshots
from tests.ui.fake_session import FakeSession, StillClock
from widgets.canvas import Canvas


class Cockpit:
    """The app with everything a test wants to see of it."""

    def __init__(self, snapshot: Snapshot, **options: Any) -> None:
        self.clock = StillClock()
        self.session = FakeSession(snapshot)
        opener = options.pop("opener", lambda progress, begin: (self.session, lambda view: (("ready", "ok"),)))
        self.app = CockpitApp(opener, self.clock, **options)
        self.pilot: Pilot[int]

    def text(self) -> str:
        """What is on the topmost screen."""
        return "\n".join(canvas.text for canvas in self.app.screen.query(Canvas))

    async def until(self, condition: Callable[[], bool], what: str = "") -> None:
        """Wait for something: the machine may be busy."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while not condition():
            assert asyncio.get_running_loop().time() < deadline, f"never: {what}\n{self.text()}"
            await self.pilot.pause(0.01)

    async def sees(self, text: str) -> None:
        await self.until(lambda: text in self.text(), text)

    async def press(self, *keys: str, after_s: float = 0.0) -> None:
        """Keys, each pressed after a pause on the still clock."""
        for key in keys:
            self.clock.passed += after_s
            await self.pilot.press(key)


@asynccontextmanager
async def cockpit(
    snapshot: Snapshot | None = None, size: tuple[int, int] = (120, 40), **options: Any
) -> AsyncIterator[Cockpit]:
    made = Cockpit(snapshot or snapshots.healthy(), **options)
    async with made.app.run_test(size=size, notifications=True, tooltips=True) as pilot:
        made.pilot = pilot
        await made.until(lambda: made.app.desk.snapshot is not None, "a snapshot")
        await pilot.pause()
        yield made


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "TEXTUAL_THEME", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
