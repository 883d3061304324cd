"""The readiness: every step of the runbook rehearsed without taking it; the last result, with its age."""

from __future__ import annotations

from concurrent.futures import Future

from cockpit.model.rehearsal import Rehearsal, Rehearsed
from cockpit.screens.choose import open_step
from cockpit.screens.desk import Desk
from cockpit.screens.listing import ListScreen
from widgets.line import Line
from widgets.readiness_rows import Stood, is_outdated, matching, readiness_rows
from widgets.scene import Scene

AGAIN_S = 900.0
"""Whoever comes to it sees one that is not older, or one that is being made."""
LEAST_S = 15.0
"""A kill switch that goes on changing has no more of them made by itself than one in so long."""
SETTLED_S = 10.0
"""So long after a change orders may still be in flight: what is judged sooner is not how things will stand."""


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
        self._is_looking = False
        self._is_read = False
        self._begun = float("-inf")
        """When one was last begun here, by the monotonic clock."""
        self._begun_for: float | None = None
        """And which change of the kill switch was the last by then."""

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
        at, is_read = self.at(shown), self._is_read
        stood = Stood(scene.now, self.rehearsal, shown, at, progress, is_read, self._switched_at, self._is_coming)
        return readiness_rows(stood, width, height)

    def arrived(self) -> None:
        """The last one, be it another cockpit's; a new one where that is too old."""
        session = self.desk.session
        if session is not None and self.desk.snapshot is not None and not self._is_running and not self._is_looking:
            self._has_looked = self._is_looking = True
            session.readiness.last().add_done_callback(lambda done: self.desk.soon(self._found, done))

    def tick(self) -> None:
        """Whoever came while the cockpit was starting is served as soon as it can be; what is outdated is made anew."""
        if not self._has_looked or (self._is_coming and self._may_begin):
            self.arrived()

    @property
    def _switched_at(self) -> float | None:
        switch = self.desk.snapshot.kill_switch.value if self.desk.snapshot else None
        return switch.since if switch else None

    @property
    def _is_coming(self) -> bool:
        """Whether the kill switch has changed since; once a change, for the platform's clock may be ahead of ours."""
        is_new = self._switched_at != self._begun_for
        return is_new and not self._is_running and is_outdated(self.rehearsal, self._switched_at)

    @property
    def _may_begin(self) -> bool:
        is_settled = not 0.0 <= self.desk.clock.now() - (self._switched_at or 0.0) < SETTLED_S
        return is_settled and self.desk.clock.monotonic() - self._begun >= LEAST_S

    def move(self, step: int) -> None:
        """Through the list."""
        shown = self.shown
        if shown:
            self._pick(shown[max(0, min(self.at(shown) + step, len(shown) - 1))])

    def action_trouble(self) -> None:
        """To the next line that would not work as a whole, from where the hand is, around the end."""
        shown = self.shown
        at = self.at(shown)
        ahead = next((one for one in (*shown[at + 1 :], *shown[:at]) if not one.outcome.is_whole), None)
        if ahead is None:
            self.hint("Nothing else is limited or in trouble")
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
        self._begun, self._begun_for = self.desk.clock.monotonic(), self._switched_at
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
        self._is_read, self._is_looking = True, False
        kept = None if done.exception() else done.result()
        if kept is not None and (self.rehearsal is None or kept.at > self.rehearsal.at):
            self.rehearsal = kept
        is_old = self.rehearsal is None or self.desk.clock.now() - self.rehearsal.at > AGAIN_S
        if not self._is_running and (is_old or (self._is_coming and self._may_begin)):
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
