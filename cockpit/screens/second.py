"""The second person of one dialog: asked for, waited for, or done without by breaking the glass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

from cockpit.model.approval import Request, Second, Standing
from cockpit.model.plan import GLASS, Plan
from cockpit.screens.ports import SecondsPort
from widgets.field import Field

Later = Callable[[Future[Any], Callable[[Any, str], None]], None]
"""Has something done with the result, or with what went wrong in words, on the screen's own thread."""
BREAKS = "ctrl+g"
"""No letter, and not where fingers rest: nobody breaks the glass by typing on."""


class SecondPerson:
    """Where one dialog stands with its second person."""

    def __init__(self, later: Later, go_on: Callable[[], None], say: Callable[[str], None]) -> None:
        """`go_on` when somebody approved, or the glass is broken; `say` when nobody will."""
        self._later = later
        self._go_on = go_on
        self._say = say
        self._seconds: SecondsPort | None = None
        self.second: Second | None = None
        """How the request stands; None where nobody was asked."""
        self.glass: Field | None = None
        """What is typed to act alone; None where nobody reached for it."""
        self._is_asking = False
        self._is_looking = False

    @property
    def is_busy(self) -> bool:
        """Whether the dialog's own fields wait for this."""
        return self._is_asking or self.glass is not None or self.second is not None

    @property
    def approval(self) -> str | None:
        """The request that was approved."""
        is_approved = self.second is not None and self.second.standing is Standing.APPROVED
        return self.second.id if is_approved and self.second else None

    @property
    def is_glass_broken(self) -> bool:
        """Whether the operator acts alone."""
        return self.glass is not None and self.glass.text == GLASS

    def ask(self, seconds: SecondsPort, plan: Plan, reason: str, overrides: Sequence[str]) -> None:
        """Ask for one."""
        self._seconds, self._is_asking = seconds, True
        self._later(seconds.ask(plan, reason, overrides), self._asked)

    def _asked(self, request: Request | None, error: str) -> None:
        self._is_asking = False
        if request is None:
            self._say(f"{error}. Ctrl-G acts alone.")
            return
        self.second = Second(request.id, Standing.WAITING, "waiting", None, request.lapses_at)
        self._say("")

    def look(self) -> None:
        """Ask how the request stands; called about once a second."""
        if self._seconds is None or self.second is None or self._is_looking or self.approval:
            return
        self._is_looking = True
        self._later(self._seconds.standing(self.second.id), self._looked)

    def _looked(self, found: Second | None, error: str) -> None:
        self._is_looking = False
        if found is None or self.second is None or found.id != self.second.id:
            return
        if found.standing is Standing.APPROVED:
            self.second = found
            self._go_on()
        elif found.standing is not Standing.WAITING:
            self.second = None
            self._say(f"No second person: {found.words}.")
        else:
            self.second = found

    def press(self, key: str, character: str | None) -> None:
        """A key while somebody is waited for, or the glass is being broken."""
        if self.glass is None:
            return
        if key == "enter":
            if self.is_glass_broken:
                self._go_on()
            else:
                self._say(f"Type exactly: {GLASS}")
        else:
            self.glass.take(key, character)

    def reach_for_glass(self) -> None:
        """Begin to act alone; a request that waits goes on waiting."""
        self.glass = Field()

    def back(self) -> None:
        """One step back: from the glass, else take the request back."""
        if self.glass is not None:
            self.glass = None
        else:
            self.withdraw()

    def withdraw(self) -> None:
        """Ask no more."""
        second, self.second, self.glass = self.second, None, None
        if second is not None and self._seconds is not None and second.standing.is_open:
            self._seconds.withdraw(second.id)
