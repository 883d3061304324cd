"""The full-screen cockpit: first the wall, then, on a thread, everything that fills it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from textual.app import App

from cockpit.clock import Clock, SystemClock
from cockpit.errors import CockpitError
from cockpit.model.snapshot import Snapshot
from cockpit.screens.desk import Desk
from cockpit.screens.overview import OverviewScreen
from cockpit.screens.ports import SessionPort
from themes.catalogue import offered
from themes.toolkit import toolkit_theme

Progress = Callable[[str], None]
Opener = Callable[[Progress], SessionPort]
"""Imports, configures and opens the session; runs on its own thread and may take its time."""


class CockpitApp(App[int], inherit_bindings=False):
    """Owns the screens, the session and the passage between their threads."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS = []  # noqa: RUF012  (every key is a row of cockpit.keymap)

    def __init__(self, opener: Opener, clock: Clock | None = None) -> None:
        super().__init__()
        self.animation_level = "none"
        self._opener = opener
        self.desk = Desk(clock or SystemClock())
        self.desk.looks = offered(has_colour=not self.no_color, has_many_colours=True)
        self.desk.look = self.desk.looks[0]
        for look in self.desk.looks:
            self.register_theme(toolkit_theme(look))
        self.theme = self.desk.look.name
        self.overview = OverviewScreen(self.desk)
        self._is_waking = threading.Lock()
        self._latest: Snapshot | None = None

    def get_default_screen(self) -> OverviewScreen:
        """The wall."""
        return self.overview

    def on_mount(self) -> None:
        """Open the world behind the first frame."""
        self.set_interval(1.0, self.tick)
        threading.Thread(target=self._open, name="opening", daemon=True).start()

    def tick(self) -> None:
        """Ages grow also when no snapshot comes."""
        self.overview.draw()

    def _open(self) -> None:
        loop = self._loop
        assert loop is not None
        try:
            session = self._opener(self._tell)
            loop.call_soon_threadsafe(self._opened, session)
        except CockpitError as error:
            loop.call_soon_threadsafe(self._failed, error)

    def _tell(self, text: str) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._told, text)

    def _told(self, text: str) -> None:
        self.desk.progress.append(text)
        self.overview.draw()

    def _opened(self, session: SessionPort) -> None:
        self.desk.session = session
        session.start(self._heard)

    def _heard(self, snapshot: Snapshot) -> None:
        """Called on the observing thread: keep the newest, wake the screen once."""
        self._latest = snapshot
        if self._is_waking.acquire(blocking=False):
            assert self._loop is not None
            self._loop.call_soon_threadsafe(self._take)

    def _take(self) -> None:
        self._is_waking.release()
        self.desk.snapshot = self._latest
        self.overview.draw()

    def _failed(self, error: CockpitError) -> None:
        self.exit(error.exit_code)
