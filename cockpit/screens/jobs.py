"""The jobs: what runs and what was done, newest first, with the selected one in full."""

from __future__ import annotations

from cockpit.model.job import Job
from cockpit.screens.desk import Desk
from cockpit.screens.full import FullScreen
from cockpit.screens.job_sheet import JobSheet
from widgets.jobs_rows import WIDE, beside, detail_rows, list_rows, ruled
from widgets.line import Line
from widgets.scene import Scene


class JobsScreen(FullScreen):
    """Selects by name, not by place: a new job does not move the hand to another one."""

    SCOPE = "jobs"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.picked: str | None = None

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The newest first."""
        return self.desk.snapshot.jobs if self.desk.snapshot else ()

    @property
    def job(self) -> Job | None:
        """The selected one; the newest where none is."""
        jobs = self.jobs
        return next((job for job in jobs if job.id == self.picked), jobs[0] if jobs else None)

    def rows(self, scene: Scene, width: int, height: int) -> list[Line]:
        """List and job, side by side where there is room."""
        job = self.job
        picked = job.id if job else None
        if width >= WIDE:
            left = min(64, width * 2 // 5)
            listed = [ruled("Jobs", left), *list_rows(self.jobs, picked, scene.now, left, height - 1)]
            told = detail_rows(job, scene.now, width - left - 3) if job else []
            return beside(listed, told, left, width, height)
        size = max(2, min(len(self.jobs), height // 3))
        listed = [ruled("Jobs", width), *list_rows(self.jobs, picked, scene.now, width, size)]
        told = [ruled("Job", width), *detail_rows(job, scene.now, width)] if job else []
        return [*listed, *told]

    def action_pick(self, step: int) -> None:
        """The next one, or the one before."""
        jobs, job = self.jobs, self.job
        if job is not None:
            at = jobs.index(job) + step
            self.picked = jobs[max(0, min(at, len(jobs) - 1))].id
        self.draw()

    def action_show(self) -> None:
        """The job in a dialog."""
        if self.job is not None:
            self.app.push_screen(JobSheet(self.desk, self.job))

    def action_back(self) -> None:
        """To the wall."""
        self.action_go("overview")
