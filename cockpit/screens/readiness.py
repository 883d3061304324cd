"""The readiness: every step of the runbook rehearsed without taking it; the last result, with its age."""

from __future__ import annotations

from concurrent.futures import Future

from cockpit.model.rehearsal import Rehearsal, Rehearsed
from cockpit.screens.choose import open_step
from cockpit.screens.desk import Desk
from cockpit.screens.listing import ListScreen
from widgets.line import Line
from widgets.readiness_rows import Stood, matching, readiness_rows
from widgets.scene import Scene

AGAIN_S = 900.0
"""Whoever comes to it sees one that is not older, or one that is being made."""


class ReadinessScreen(ListScreen):
    """Selects by name: another rehearsal does not move the hand to another line."""

    SCOPE = "readiness"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.rehearsal: Rehearsal | None = None
        self.picked: tuple[str, str] | None = None
        self.progress = ""
        self._is_running = False
        self._has_looked = False
        self._is_read = False

    @property
    def shown(self) -> tuple[Rehearsed, ...]:
        """What matches the filter."""
        return matching(self.rehearsal, self.needle.text)

    def at(self, shown: tuple[Rehearsed, ...]) -> int:
        """Where the hand is; on the first that is not well where nobody has moved it."""
        if self.picked is not None:
            names = [(one.section, one.name) for one in shown]
            return names.index(self.picked) if self.picked in names else 0
        return next((index for index, one in enumerate(shown) if not one.outcome.is_well), 0)

    def rows(self, scene: Scene, width: int, height: int) -> list[Line]:
        """What stands, and what is being looked at."""
        shown = self.shown
        progress = self.progress if self._is_running else ""
        switch = scene.live.snapshot.kill_switch.value if scene.live else None
        switched_at = switch.since if switch else None
        stood = Stood(scene.now, self.rehearsal, shown, self.at(shown), progress, self._is_read, switched_at)
        return readiness_rows(stood, width, height)

    def arrived(self) -> None:
        """The last one, be it another cockpit's; a new one where that is too old."""
        session = self.desk.session
        if session is not None and self.desk.snapshot is not None and not self._is_running:
            self._has_looked = True
            session.readiness.last().add_done_callback(lambda done: self.desk.soon(self._found, done))

    def tick(self) -> None:
        """Whoever came while the cockpit was starting is served as soon as it can be."""
        if not self._has_looked:
            self.arrived()

    def move(self, step: int) -> None:
        """Through the list."""
        shown = self.shown
        if shown:
            self._pick(shown[max(0, min(self.at(shown) + step, len(shown) - 1))])

    def action_trouble(self) -> None:
        """To the next line that is not well, from where the hand is, around the end."""
        shown = self.shown
        at = self.at(shown)
        ahead = next((one for one in (*shown[at + 1 :], *shown[:at]) if not one.outcome.is_well), None)
        if ahead is None:
            self.hint("Nothing else is in trouble")
            return
        self._pick(ahead)
        self.draw()

    def action_take(self) -> None:
        """The dialog of the step that the hand is on."""
        session, shown = self.desk.session, self.shown
        one = shown[self.at(shown)] if shown else None
        step = next((row for row in session.actions() if one and row.step == one.name), None) if session else None
        if step is not None:
            open_step(self.app, self.desk, step)
        elif one is not None:
            self.hint(f"{one.name} is no step: what it says is what to do")

    def action_rehearse(self) -> None:
        """All of it, now."""
        session, snapshot = self.desk.session, self.desk.snapshot
        if session is None or snapshot is None:
            self.hint("Not yet: the cockpit is still starting")
            return
        if self._is_running:
            self.hint("It is being rehearsed already")
            return
        self._is_running, self.progress = True, "planning every step; nothing is submitted"
        future = session.readiness.run(snapshot, lambda words: self.desk.soon(self._told, words))
        future.add_done_callback(lambda done: self.desk.soon(self._rehearsed, done))
        self.draw()

    def _pick(self, one: Rehearsed) -> None:
        self.picked = (one.section, one.name)

    def _told(self, words: str) -> None:
        self.progress = words
        self._redraw()

    def _found(self, done: Future[Rehearsal | None]) -> None:
        """What was kept, unless a newer one has come meanwhile."""
        self._is_read = True
        kept = None if done.exception() else done.result()
        if kept is not None and (self.rehearsal is None or kept.at > self.rehearsal.at):
            self.rehearsal = kept
        if self.rehearsal is None or self.desk.clock.now() - self.rehearsal.at > AGAIN_S:
            self.action_rehearse()
        self._redraw()

    def _rehearsed(self, done: Future[Rehearsal]) -> None:
        self._is_running = False
        error = done.exception()
        if error is not None:
            self.hint(f"Not rehearsed: {error}")
            return
        self.rehearsal = done.result()
        self._redraw()

    def _redraw(self) -> None:
        if self in self.app.screen_stack:
            self.draw()
