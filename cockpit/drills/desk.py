"""The drills as a cockpit uses them: every function returns at once, a thread of its own watches and writes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit import paths
from cockpit.clients.bounded import in_daemon_thread
from cockpit.clock import Clock
from cockpit.config import Settings
from cockpit.model.drill import Board, Drill
from cockpit.model.snapshot import Snapshot
from cockpit.model.world import World

if TYPE_CHECKING:
    from cockpit.drills.director import Director

EVERY_S = 1.0
FOLDER = "drills"
Audit = Callable[[str, str], object]


def drills_folder() -> Path:
    """One for each user, whatever platform a cockpit is on: sandboxes come and go."""
    return paths.state_folder(FOLDER)


class DrillDesk:
    """Begins, watches and ends drills; the director is loaded by whoever first needs it."""

    def __init__(self, settings: Settings, clock: Clock, by: str, audit: Audit, folder: Path | None = None) -> None:
        self._settings = settings
        self._clock = clock
        self._by = by
        self._audit = audit
        self._folder = folder or drills_folder()
        self._newest: Snapshot | None = None
        self._stopping = threading.Event()
        self.error = ""
        """Why the drill that runs could not be watched the last time; empty where it could."""

    def hear(self, snapshot: Snapshot) -> None:
        """The newest snapshot; never waits."""
        self._newest = snapshot

    def start_watching(self) -> None:
        """Watch from now on; only on a sandbox, for on nothing else is there anything to watch."""
        if self._settings.world is World.SANDBOX:
            threading.Thread(target=self._watch, name="drills", daemon=True).start()

    def stop_watching(self) -> None:
        """Watch no more; a drill that runs goes on, and the next cockpit watches it."""
        self._stopping.set()

    def board(self) -> Future[Board]:
        """Schedule, the running drill, and the ended ones."""
        return in_daemon_thread(lambda: self._director().board())

    def start(self, name: str, tell: Callable[[str], None]) -> Future[Drill]:
        """Begin one; `tell` is called from another thread."""
        return in_daemon_thread(lambda: self._director().start(name, self._newest, tell))

    def stop(self) -> Future[Drill]:
        """End the running one."""
        return in_daemon_thread(lambda: self._director().stop(self._newest))

    def report(self, drill_id: str) -> Future[str]:
        """The text of its report."""
        return in_daemon_thread(lambda: self._director().report(drill_id).read_text(encoding="utf-8"))

    def said(self, drill: Drill, now: float) -> tuple[str, ...]:
        """What the coach says now; only memory is looked at."""
        from cockpit.drills.coach import said
        from cockpit.drills.scenarios import scenario

        found = scenario(drill.scenario)
        return () if found is None else said(drill, found, now)

    def where(self) -> str:
        """Where a drill that is begun here is played, for whoever is asked."""
        if self._settings.world is World.SANDBOX:
            return f"It breaks this sandbox ({self._settings.root.parent}); its messages stay on this host."
        return (
            f"Nothing is done to {self._settings.world} {self._settings.site}: a sandbox is started for it, "
            "and another cockpit opens that."
        )

    def _director(self) -> Director:
        from cockpit.drills.director import Director

        return Director(self._settings, self._clock, self._by, self._folder, self._audit)

    def _watch(self) -> None:
        running = self._folder / "running.json"
        while not self._stopping.wait(EVERY_S):
            snapshot = self._newest
            # Almost always there is none: one look at the disk, and nothing is loaded.
            try:
                if snapshot is not None and running.exists():
                    self._director().watch(snapshot)
            except Exception as error:  # a drill that cannot be judged now is judged in a second, and that is said
                self.error = str(error) or type(error).__name__
            else:
                self.error = ""
