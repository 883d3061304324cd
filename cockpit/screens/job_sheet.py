"""One job in a dialog: its steps and proofs as they come."""

from __future__ import annotations

from cockpit.model.job import Job
from cockpit.screens.desk import Desk
from cockpit.screens.sheet import Sheet
from widgets.job_rows import job_rows
from widgets.line import Line

POLL_S = 0.25
SCROLLS = {"up": -1, "down": 1, "k": -1, "j": 1, "pageup": -8, "pagedown": 8}
MOST_SCROLLED = 60


class JobSheet(Sheet[None]):
    """Only looks; closing it stops nothing."""

    def __init__(self, desk: Desk, job: Job) -> None:
        super().__init__(desk)
        self.job = job
        self.scroll = 0

    def on_mount(self) -> None:
        """Look again while it runs."""
        if not self.job.phase.is_over:
            self.set_interval(POLL_S, self.tick)

    def rows(self) -> list[Line]:
        """As its journal tells it."""
        return job_rows(self.job, self.desk.clock.now(), self.room, self.scroll)

    def tick(self) -> None:
        """As it stands now."""
        session = self.desk.session
        self.job = (session.job(self.job.id) if session else None) or self.job
        super().tick()

    def press(self, key: str, character: str | None) -> None:
        """Scroll or close."""
        if key in SCROLLS:
            self.scroll = max(0, min(self.scroll + SCROLLS[key], MOST_SCROLLED))
            self.draw()
        elif key in ("escape", "enter", "q", "ctrl+c"):
            self.dismiss(None)
