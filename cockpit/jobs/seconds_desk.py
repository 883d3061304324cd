"""The second person as a screen asks for one: every answer is a future, because the files may hang."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future

from cockpit.clients.bounded import in_daemon_thread
from cockpit.jobs.seconds import Seconds
from cockpit.model.approval import Request, Second
from cockpit.model.plan import Plan


class SecondsDesk:
    """The same functions, never waited for."""

    def __init__(self, seconds: Seconds) -> None:
        self._seconds = seconds

    def ask(self, plan: Plan, reason: str, overrides: Sequence[str] = ()) -> Future[Request]:
        """Ask for a second person."""
        return in_daemon_thread(self._seconds.ask, plan, reason, overrides)

    def standing(self, request_id: str) -> Future[Second]:
        """How the request stands."""
        return in_daemon_thread(self._seconds.standing, request_id)

    def withdraw(self, request_id: str) -> Future[None]:
        """Ask no more."""
        return in_daemon_thread(self._seconds.withdraw, request_id)

    def approve(self, request: Request, typed: str) -> Future[None]:
        """Say yes to somebody's request."""
        return in_daemon_thread(self._seconds.approve, request, typed)

    def refuse(self, request: Request, reason: str) -> Future[None]:
        """Say no to it."""
        return in_daemon_thread(self._seconds.refuse, request, reason)
