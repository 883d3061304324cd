"""The drills: schedule and catalogue, the running one with its coach, the reports of those that have ended."""

from __future__ import annotations

from cockpit.model.drill import Board, Drill, Due
from cockpit.screens.ask import AskScreen
from cockpit.screens.desk import Desk
from cockpit.screens.listing import ListScreen
from widgets.drill_rows import Stand, drill_rows, matching, report_rows
from widgets.line import Line
from widgets.scene import Scene


class DrillsScreen(ListScreen):
    """Selects by name: the schedule's order changes once a drill has been played."""

    SCOPE = "drills"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.board: Board | None = None
        self.picked = ""
        self.progress = ""
        self.report: tuple[str, ...] | None = None
        """The report that is being read, in place of the list."""
        self.first = 0
        self._is_looking = False

    @property
    def shown(self) -> tuple[Due, ...]:
        """What matches the filter."""
        return matching(self.board, self.needle.text)

    def at(self, shown: tuple[Due, ...]) -> int:
        """Where the hand is; on the first where nobody has moved it."""
        return next((index for index, due in enumerate(shown) if due.scenario.name == self.picked), 0)

    def rows(self, scene: Scene, width: int, height: int) -> list[Line]:
        """The running drill, the schedule, what was played."""
        shown, session = self.shown, self.desk.session
        if self.report is not None:
            return report_rows(self._named(shown), self.report, self.first, width, height)
        running = self.board.running if self.board else None
        here = running is None or session is None or running.root == str(session.settings.root)
        coach = session.drills.said(running, scene.now) if running is not None and session is not None else ()
        stand = Stand(scene.now, self.board, shown, self.at(shown), coach, here, self.progress)
        return drill_rows(stand, width, height)

    def arrived(self) -> None:
        """Read at once."""
        self.tick()

    def tick(self) -> None:
        """What has become of it, once a second while it is in front."""
        session = self.desk.session
        if session is not None and not self._is_looking:
            self._is_looking = True
            self.when_done(session.drills.board(), self._read)

    def move(self, step: int) -> None:
        """Through the schedule."""
        shown = self.shown
        if self.report is not None:
            self.first = max(0, min(self.first + step, len(self.report)))
        elif shown:
            self.picked = shown[max(0, min(self.at(shown) + step, len(shown) - 1))].scenario.name

    def leave(self) -> None:
        """Out of the report first."""
        if self.report is None:
            super().leave()
        else:
            self.report = None
            self.draw()

    def action_report(self) -> None:
        """What the last drill of the selected scenario came to."""
        session, last = self.desk.session, self._last(self.shown)
        if session is None or last is None:
            self.hint("This one was never played to its end: Enter begins it")
        else:
            self.when_done(session.drills.report(last.id), self._opened)

    def _last(self, shown: tuple[Due, ...]) -> Drill | None:
        name = shown[self.at(shown)].scenario.name if shown else ""
        history = self.board.history if self.board else ()
        return next((one for one in history if one.scenario == name), None)

    def _named(self, shown: tuple[Due, ...]) -> str:
        return shown[self.at(shown)].scenario.title if shown else ""

    def _opened(self, text: str | None) -> None:
        if text is not None:
            self.report, self.first = tuple(text.splitlines()), 0
            self.draw()

    def action_begin(self) -> None:
        """Break the sandbox, after a question."""
        session, shown = self.desk.session, self.shown
        running = self.board.running if self.board else None
        if session is None or not shown:
            return
        if running is not None:
            self.hint(f"{running.title} runs already: s stops it")
            return
        one = shown[self.at(shown)].scenario
        words = (f"{one.title}: {one.sentence}", session.drills.where())

        def answered(is_meant: bool | None) -> None:
            if is_meant:
                self.picked = one.name  # its row moves once it has been played
                self.progress = "breaking the sandbox …"
                begun = session.drills.start(one.name, lambda said: self.desk.soon(self._told, said))
                self.when_done(begun, self._begun)
                self.draw()

        self.app.push_screen(AskScreen(self.desk, "Begin a drill", words, "y", "begins it"), answered)

    def action_end(self) -> None:
        """Stop the running one, after a question."""
        session, running = self.desk.session, self.board.running if self.board else None
        if session is None or running is None:
            self.hint("No drill runs: Enter begins one")
            return
        words = (f"Stop {running.title}?", "The fault is cleared, the incident closed; it does not count as played.")

        def answered(is_meant: bool | None) -> None:
            if is_meant:
                self.when_done(session.drills.stop(), self._ended)

        self.app.push_screen(AskScreen(self.desk, "Stop the drill", words, "y", "stops it"), answered)

    def _told(self, words: str) -> None:
        self.progress = words
        self.draw()

    def _begun(self, drill: Drill | None) -> None:
        self.progress = ""
        if drill is not None:
            self.hint(f"It runs: {drill.title}; the incident is open")
        self.tick()

    def _ended(self, drill: Drill | None) -> None:
        if drill is not None:
            self.hint(f"{drill.verdict}: cockpit drill report {drill.id[:15]}")
        self.tick()

    def _read(self, board: Board | None) -> None:
        self._is_looking = False
        if board is None:
            return
        before = self.board.running if self.board else None
        self.board = board
        if board.running is not None and not self.picked:
            self.picked = board.running.scenario
        if before is not None and board.running is None and board.history and board.history[0].id == before.id:
            ended = board.history[0]
            self.hint(f"{ended.verdict}: {ended.title}; cockpit drill report {ended.id[:15]}")
        elif self in self.app.screen_stack:
            self.draw()
