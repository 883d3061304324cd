"""The readiness of one site as a cockpit uses it: the last rehearsal, and a new one on a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.clients.bounded import in_daemon_thread
from cockpit.clock import Clock
from cockpit.config import Settings
from cockpit.errors import JournalError
from cockpit.model.rehearsal import Rehearsal
from cockpit.model.snapshot import Snapshot
from cockpit.model.told import Told
from cockpit.storage.rehearsals import keep_rehearsal, read_rehearsal

if TYPE_CHECKING:
    from cockpit.readiness.rehearse import Tell

Plans = Callable[[Snapshot, float], tuple[Told, ...]]


class Readiness:
    """Runs and keeps rehearsals; it is given what plans, and has nothing that could submit."""

    def __init__(self, settings: Settings, state: Path, clock: Clock, by: str, plans: Plans) -> None:
        self._settings = settings
        self._state = state
        self._clock = clock
        self._by = by
        self._plans = plans

    def last(self) -> Future[Rehearsal | None]:
        """The one that is kept."""
        return in_daemon_thread(read_rehearsal, self._state)

    def run(self, snapshot: Snapshot, tell: Tell) -> Future[Rehearsal]:
        """A new one, judged on this snapshot; `tell` is called from other threads."""
        return in_daemon_thread(self.now, snapshot, tell)

    def now(self, snapshot: Snapshot, tell: Tell) -> Rehearsal:
        """The same, waited for."""
        # What it takes is much, and the wall opens without it.
        from cockpit.readiness.rehearse import rehearse

        told = self._plans(snapshot, self._clock.now())
        found = rehearse(self._settings, self._state, told, snapshot, self._clock, self._by, tell)
        try:
            keep_rehearsal(self._state, found)
        except JournalError as error:
            tell(f"not kept: {error}")
        return found
