"""The step chooser: Space, the section's key, the step's key; the dialog of the step comes next."""

from __future__ import annotations

from concurrent.futures import Future

from cockpit.model.action import ActionSpec
from cockpit.model.plan import Plan
from cockpit.screens.desk import Desk
from cockpit.screens.sheet import Sheet
from widgets.chooser_rows import DRILLS, chooser_rows, sections
from widgets.line import Line
from widgets.runbook_rows import suggestions
from widgets.standing import still_blocking


class ChooserScreen(Sheet[ActionSpec | str]):
    """Answers the step that was chosen, a screen's name, or nothing."""

    DEFAULT_CSS = "ChooserScreen { align: center bottom; }"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.section: str | None = None
        self.refusals: dict[str, str] = {}
        self._asked: set[str] = set()

    @property
    def _actions(self) -> tuple[ActionSpec, ...]:
        """Asked each time: the sheet may be opened before the session is."""
        return self.desk.session.actions() if self.desk.session else ()

    def rows(self) -> list[Line]:
        """Sections or steps, over the whole width."""
        snapshot = self.desk.snapshot
        suggested = suggestions(snapshot.assessment.findings) if snapshot else {}
        width, height = self.app.size
        return chooser_rows(self._actions, self.section, self.refusals, width, suggested, height)

    def press(self, key: str, character: str | None) -> None:
        """A section's key, then a step's."""
        if key in ("escape", "space", "ctrl+c"):
            self.dismiss(None)
        elif key == "backspace":
            self.section = None
            self.draw()
        elif self.section is None:
            if key in sections(self._actions):
                self.section, self.refusals = key, {}
                self._ask()
                self.draw()
            elif key == DRILLS:
                self.dismiss("drills")
        else:
            steps = sections(self._actions)[self.section]
            chosen = next((step for step in steps if step.key == key), None)
            if chosen is not None:
                self.dismiss(chosen)

    def tick(self) -> None:
        """What was refused a second ago may be possible now."""
        if self.section is not None:
            self._ask()
        super().tick()

    def _ask(self) -> None:
        """Which of the steps would be refused now, and why; nobody has seen their plans yet."""
        session, soon = self.desk.session, self.desk.soon
        assert session is not None and self.section is not None

        def landed(step: ActionSpec, done: Future[Plan]) -> None:
            error = done.exception()
            blocking = () if error else still_blocking(done.result(), step.chosen)
            words = str(error) if error else ", ".join(f"{check.name}: {check.detail}" for check in blocking[:1])
            soon(self._told, step.step, words)

        for step in sections(self._actions)[self.section]:
            if step.step in self._asked:
                continue  # it has not answered yet: what hangs must not pile up
            self._asked.add(step.step)
            asked = session.prepare(step.step, {}, is_shown=False)
            asked.add_done_callback(lambda done, of=step: landed(of, done))  # type: ignore[misc]

    def _told(self, name: str, words: str) -> None:
        self._asked.discard(name)
        self.refusals[name] = words
        if self.is_attached:
            self.draw()
