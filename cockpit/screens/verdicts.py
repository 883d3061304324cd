"""What can be said to a job from its screen: stop, our word for its end, undo; each asks first."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any, Protocol

from textual.app import App

from actions.undoing import undoing
from cockpit.model.job import Job, Phase
from cockpit.screens.ask import AskScreen
from cockpit.screens.choose import open_step
from cockpit.screens.desk import Desk
from cockpit.screens.resolve import ResolveScreen


class Asking(Protocol):
    """The screen that the questions are laid over."""

    desk: Desk

    @property
    def app(self) -> App[Any]:
        """The application."""

    def hint(self, text: str) -> None:
        """Say something in the bottom line."""


def cancel(screen: Asking, job: Job) -> None:
    """Ask it to stop, where it can be stopped without harm."""
    if job.phase.is_over:
        screen.hint("It is over: there is nothing to stop")
    elif not job.is_cancellable:
        screen.hint("It cannot be stopped half-way without harm: it goes on to its end")
    elif job.cancelled_by is not None:
        screen.hint(f"{job.cancelled_by} has asked it to stop: it does so as soon as that does no harm")
    else:

        def answered(is_meant: bool | None) -> None:
            session = screen.desk.session
            if is_meant and session is not None:
                _told(screen, session.cancel(job.id), "Asked to stop; what was done so far stays")

        lines = (f"Stop half-way: {job.title}?", "What was done so far stays done; the job says what is left.")
        screen.app.push_screen(AskScreen(screen.desk, "Cancel a job", lines, "y", "asks it to stop"), answered)


def resolve(screen: Asking, job: Job) -> None:
    """Our word for its end, where nobody else knows it."""
    if job.phase is not Phase.IN_DOUBT:
        screen.hint("Only a job in doubt needs somebody's word")
        return

    def answered(word: tuple[bool, str] | None) -> None:
        session = screen.desk.session
        if word is not None and session is not None:
            _told(screen, session.resolve(job.id, *word), "Kept, as your word and not as a proof")

    screen.app.push_screen(ResolveScreen(screen.desk, job), answered)


def undo(screen: Asking, job: Job) -> None:
    """The dialog of the step that undoes it; that one decides whether it can be."""
    session = screen.desk.session
    found = undoing(job.action, job.target, session.actions()) if session else None
    if not job.phase.is_over:
        screen.hint("It still runs: what is not over cannot be undone")
    elif found is None:
        screen.hint(f"No step undoes this: {job.title}")
    else:
        step, chosen = found
        open_step(screen.app, screen.desk, step, chosen=chosen)


def _told(screen: Asking, future: Future[Job], words: str) -> None:
    def landed(done: Future[Job]) -> None:
        error = done.exception()
        screen.hint(f"Not done: {error}" if error else words)

    future.add_done_callback(lambda done: screen.desk.soon(landed, done))
