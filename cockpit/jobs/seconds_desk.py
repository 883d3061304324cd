"""The second person as a screen asks for one: every answer is a future, because the files may hang."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future

from cockpit.clients.bounded import in_daemon_thread
from cockpit.jobs.planner import Planner
from cockpit.jobs.second_look import second_look
from cockpit.jobs.seconds import Seconds
from cockpit.model.approval import Consent, Look, Request, Second
from cockpit.model.plan import Plan
from cockpit.model.snapshot import Snapshot


class SecondsDesk:
    """The same functions, never waited for."""

    def __init__(self, seconds: Seconds, planner: Planner, snapshot: Callable[[], Snapshot]) -> None:
        """`snapshot` answers our own newest look at the platform."""
        self._seconds = seconds
        self._planner = planner
        self._snapshot = snapshot

    def ask(self, plan: Plan, reason: str, overrides: Sequence[str] = ()) -> Future[Request]:
        """Ask for a second person."""
        return in_daemon_thread(self._seconds.ask, plan, reason, overrides)

    def standing(self, request_id: str) -> Future[Second]:
        """How the request stands."""
        return in_daemon_thread(self._seconds.standing, request_id)

    def withdraw(self, request_id: str) -> Future[None]:
        """Ask no more."""
        return in_daemon_thread(self._seconds.withdraw, request_id)

    def look(self, request: Request) -> Future[Look]:
        """Somebody's request as our own cockpit plans it now."""
        return in_daemon_thread(second_look, self._planner, request, self._snapshot())

    def approve(self, request: Request, consent: Consent) -> Future[None]:
        """Say yes to somebody's request, where our own cockpit would do the same at this moment."""

        def approved() -> None:
            self._seconds.approve(request, second_look(self._planner, request, self._snapshot()), consent)

        return in_daemon_thread(approved)

    def refuse(self, request: Request, reason: str) -> Future[None]:
        """Say no to it."""
        return in_daemon_thread(self._seconds.refuse, request, reason)
