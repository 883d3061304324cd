"""The jobs: what runs and what was done, newest first, with the selected one in full and what it prints."""

from __future__ import annotations

from actions.undoing import UNDONE_BY
from cockpit.keymap import Key
from cockpit.model.job import Job, Phase
from cockpit.screens.desk import Desk
from cockpit.screens.job_sheet import JobSheet
from cockpit.screens.listing import ListScreen
from cockpit.screens.reading import Reading
from cockpit.screens.verdicts import cancel, resolve, undo
from widgets.field import Field
from widgets.jobs_rows import WIDE, beside, detail_rows, list_rows, ruled
from widgets.line import Line
from widgets.output_rows import output_rows
from widgets.scene import Scene

LEAST_OUTPUT = 4
"""Rows that the output gets at least, with its head."""
SHIFT = 40


class JobsScreen(ListScreen):
    """Selects by name, not by place: a new job does not move the hand to another one."""

    SCOPE = "jobs"
    WHAT = "search"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.picked: str | None = None
        self.reading = Reading(desk, self._read)
        self.is_large = False
        """Whether the output has the whole body."""
        self.shift = 0
        self._output_height = 1

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The newest first."""
        return self.desk.snapshot.jobs if self.desk.snapshot else ()

    @property
    def job(self) -> Job | None:
        """The selected one; the newest where none is."""
        jobs = self.jobs
        return next((job for job in jobs if job.id == self.picked), jobs[0] if jobs else None)

    @property
    def scopes(self) -> tuple[str, ...]:
        """The output's keys first while it has the whole body; n and N only while a text is looked for."""
        if self.is_typing:
            return super().scopes
        found = ("found",) if self.needle.text else ()
        return (*found, *(("output",) if self.is_large else ()), *super().scopes)

    def kept(self) -> str:
        """The text stays and can be gone on with."""
        return "n next   N before   Esc clears it"

    def offers(self, row: Key) -> bool:
        """What can be said to the selected job."""
        job = self.job
        match row.id:
            case "job_cancel":
                return job is not None and not job.phase.is_over and job.is_cancellable
            case "job_resolve":
                return job is not None and job.phase is Phase.IN_DOUBT
            case "job_undo":
                return job is not None and job.phase.is_over and job.action in UNDONE_BY
        return True

    # what is shown

    def rows(self, scene: Scene, width: int, height: int) -> list[Line]:
        """List, job and output; side by side where there is room."""
        job = self.job
        if job is None:
            is_read = self.desk.snapshot is not None and self.desk.snapshot.are_jobs_read
            return list_rows(() if is_read else None, None, scene.now, width, height)
        self.reading.open(job.id)
        if self.is_large:
            return self._output(width, height)
        if width >= WIDE:
            left = min(60, width * 2 // 5)
            listed = list_rows(self.jobs, job.id, scene.now, left, height)
            return beside(listed, self._told(job, scene.now, width - left - 3, height), left, width, height)
        size = max(1, min(len(self.jobs), height // 4))
        listed = list_rows(self.jobs, job.id, scene.now, width, size + 1)
        return [*listed, *self._told(job, scene.now, width, height - len(listed))]

    def _told(self, job: Job, now: float, width: int, height: int) -> list[Line]:
        """The job's facts, then its output in what is left; what does not fit is in the dialog."""
        rows = [ruled("Job", width), *detail_rows(job, now, width)]
        least = LEAST_OUTPUT if self.reading.size_bytes else 1
        if len(rows) > height - least:
            more = len(rows) - (height - least) + 1
            rows = [*rows[: max(0, height - least - 1)], ((f"{more} more lines   Enter shows all", "accent"),)]
        return [*rows, *self._output(width, max(1, height - len(rows)))]

    def _output(self, width: int, height: int) -> list[Line]:
        reading = self.reading
        self._output_height = max(1, height - 1)
        shown = reading.shown(self._output_height)
        return output_rows(shown, self.needle.text, self.shift, width, reading.size_bytes, reading.is_following)

    def tick(self) -> None:
        """What has been printed since."""
        self.reading.look()

    def _read(self, words: str) -> None:
        if words:
            self.hint(words)
        elif self in self.app.screen_stack:
            self.draw()

    # what keys do

    def move(self, step: int) -> None:
        """The next job, or the one before."""
        jobs, job = self.jobs, self.job
        if job is not None:
            at = jobs.index(job) + step
            self.picked, self.shift = jobs[max(0, min(at, len(jobs) - 1))].id, 0

    def looked_for(self) -> None:
        """The text was typed: to its first place."""
        self.reading.find(self.needle.text, True, is_new=True)

    def leave(self) -> None:
        """From the large output to the jobs, from there to the wall."""
        if self.is_large:
            self.is_large = False
            self.draw()
        else:
            super().leave()

    def action_show(self) -> None:
        """The job in a dialog."""
        if self.job is not None:
            self.app.push_screen(JobSheet(self.desk, self.job))

    def action_say(self, what: str) -> None:
        """Something to the selected job: cancel, resolve, undo."""
        if self.job is not None:
            {"cancel": cancel, "resolve": resolve, "undo": undo}[what](self, self.job)

    def action_read(self, how: str, count: int = 0) -> None:
        """Through the output: page, line, begin, end, side, find."""
        page = max(1, self._output_height - 1)
        match how:
            case "page":
                self.reading.scroll(count * page, self._output_height)
            case "line":
                self.reading.scroll(count, self._output_height)
            case "begin":
                self.reading.begin()
            case "end":
                self.reading.follow()
            case "side":
                self.shift = max(0, self.shift + count * SHIFT)
            case "find":
                self.reading.find(self.needle.text, count > 0)
            case "large":
                self.is_large = not self.is_large
        self.draw()

    def action_search(self) -> None:
        """Begin to type what is looked for."""
        self.needle, self.is_typing = Field(), True
        self.draw()
