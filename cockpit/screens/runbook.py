"""The runbook: every step with whether it could be taken now; a section can be walked step by step."""

from __future__ import annotations

from collections.abc import Sequence

from cockpit.model.action import ActionSpec
from cockpit.model.job import Job, Phase
from cockpit.model.walk import Passed
from cockpit.screens.ask import AskScreen
from cockpit.screens.choose import open_step
from cockpit.screens.desk import Desk
from cockpit.screens.job_sheet import JobSheet
from cockpit.screens.listing import ListScreen
from cockpit.screens.prechecks import Prechecks
from cockpit.screens.walking import Walking
from widgets.job_rows import phase_mark
from widgets.line import Line
from widgets.runbook_rows import Book, ordered, runbook_rows, suggestions, visible
from widgets.scene import Scene


class RunbookScreen(ListScreen):
    """Selects by name; the order holds as long as somebody's hand is in the list."""

    SCOPE = "runbook"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.picked: str | None = None
        self.prechecks = Prechecks(desk, self._landed)
        self.walking = Walking(desk, self._landed)
        self._order: tuple[str, ...] = ()

    # what is shown

    def rows(self, scene: Scene, width: int, height: int) -> list[Line]:
        """Sections and steps."""
        return runbook_rows(self.book(), width, height)

    def book(self) -> Book:
        """The runbook as it stands now."""
        desk = self.desk
        findings = desk.snapshot.assessment.findings if desk.snapshot else ()
        suggested = suggestions(findings)
        if self.picked is None:
            # Nobody's hand is in the list yet: what is suggested now goes first.
            self._order = tuple(suggested)
        steps = self._steps()
        return Book(
            now=desk.clock.now(),
            steps=steps,
            picked=self.at(steps),
            standings={step.step: self.prechecks.of(step) for step in steps},
            suggested=suggested,
            jobs=desk.snapshot.jobs if desk.snapshot and desk.snapshot.are_jobs_read else None,
            walk=self.walking.walk,
        )

    def at(self, steps: Sequence[ActionSpec]) -> str | None:
        """The step that the hand is on: in a walk the next one, unless somebody moved."""
        names = [step.step for step in steps]
        walk = self.walking.walk
        for name in (self.picked, walk.step if walk else None):
            if name in names:
                return name
        return names[0] if names else None

    def _steps(self) -> tuple[ActionSpec, ...]:
        session, text = self.desk.session, self.needle.text.casefold()
        steps = ordered(session.actions() if session else (), self._order)
        if not text:
            return steps
        told = ((f"{step.section} {step.section_title} {step.step} {step.title}", step) for step in steps)
        return tuple(step for words, step in told if text in words.casefold())

    def arrived(self) -> None:
        """Anew: what is suggested now goes first."""
        self.picked = None
        self.tick()

    def tick(self) -> None:
        """Checks and walk, of what is to be seen."""
        if self.desk.session is not None:
            self.prechecks.ask(visible(self.book(), *self.body.size))
            self.walking.look()

    def _landed(self, error: str = "") -> None:
        if error:
            self.hint(error)
        elif self in self.app.screen_stack:
            self.draw()

    # what keys do

    def move(self, step: int) -> None:
        """Through the list."""
        names = [each.step for each in self._steps()]
        at = self.at(self._steps())
        if at is not None:
            self.picked = names[max(0, min(names.index(at) + step, len(names) - 1))]

    def action_take(self) -> None:
        """The dialog of the step that the hand is on."""
        session, at, walk = self.desk.session, self.at(self._steps()), self.walking.walk
        step = next((each for each in session.actions() if each.step == at), None) if session else None
        job = session.job(walk.job) if session and walk and walk.job and walk.step == at else None
        if job is not None and not job.phase.is_over:
            self.app.push_screen(JobSheet(self.desk, job))
        elif step is not None:
            open_step(self.app, self.desk, step, lambda job: self._answered(step.step, job))

    def action_walk(self) -> None:
        """Through the section that the hand is in, from its first step or from where it was left."""
        at, steps = self.at(self._steps()), self.desk.session.actions() if self.desk.session else ()
        section = next((each.section for each in steps if each.step == at), None)
        walk = self.walking.walk
        if section is None:
            return
        if walk is not None and walk.step is not None and walk.section != section:
            self.hint(f"A walk is open: {walk.words}. Enter goes on with it, x ends it")
            return
        if walk is None or walk.step is None:
            own = [each for each in steps if each.section == section]
            self.walking.begin([each for each in own if not each.is_aside] or own)
        self._next()

    def action_skip(self) -> None:
        """Leave the walk's present step undone; asked for once more."""
        walk = self.walking.walk
        if walk is None or walk.step is None:
            self.hint("Nothing to skip: w walks a section")
            return
        steps = self.desk.session.actions() if self.desk.session else ()
        title = next((each.title for each in steps if each.step == walk.step), walk.step)

        session = self.desk.session
        job = session.job(walk.job) if session and walk.job else None
        if job is not None and not job.phase.is_over:
            self.hint("It still runs: the next step is offered once this one is proven")
            return

        def answered(is_skipped: bool | None) -> None:
            if is_skipped:
                self.walking.past(Passed.UNPROVEN if job else Passed.SKIPPED)
                self._next()

        words = f"Go on although this is {phase_mark(job).word}: {title}?" if job else f"Go on without: {title}?"
        self.app.push_screen(AskScreen(self.desk, "Go on", (walk.words, words), "enter", "goes on"), answered)

    def action_end_walk(self) -> None:
        """Forget where the walk stands."""
        walk = self.walking.walk
        if walk is not None:
            self.walking.end()
            self.hint(f"The walk is ended: {walk.words}")

    def _next(self) -> None:
        """The dialog of the walk's present step; the hand goes with it."""
        walk = self.walking.walk
        self.picked = walk.step if walk else None
        if walk is None or walk.step is None:
            self.hint("That was the last step of the section" if walk else "")
            return
        self.action_take()

    def _answered(self, name: str, job: Job | None) -> None:
        """A dialog was closed: in a walk the next step is offered, once this one is proven."""
        walk = self.walking.walk
        if job is None or walk is None or walk.step != name:
            self.draw()
            return
        self.walking.began(job)
        if job.phase is Phase.DONE:
            self._next()
        elif job.phase.is_over:
            self.hint(f"{job.phase.value.capitalize()}: Enter looks at the step again, s goes on, x ends the walk")
        else:
            self.hint("It goes on: the next step is offered once this one is proven")
