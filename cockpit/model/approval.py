"""A second person's yes to one plan: asked for, given, refused, lapsed or used."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from cockpit.model.plan import Check, Plan


class Standing(StrEnum):
    """What became of a request so far."""

    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"
    LAPSED = "lapsed"
    USED = "used"
    GONE = "gone"

    @property
    def is_open(self) -> bool:
        """Whether anything can still come of it."""
        return self in (Standing.WAITING, Standing.APPROVED)


@dataclass(frozen=True, slots=True)
class Request:
    """Somebody asks for a second person; its id is the hash of everything that stands in its file."""

    id: str
    plan: Plan
    """As who asks filed it: which step, on what, and by which commands; nothing else of it is believed."""
    by: str
    """Who asks, by the owner of the file."""
    uid: int
    login_uid: int | None
    host: str
    reason: str
    overrides: tuple[str, ...]
    """The failed checks that are to be overridden: no other one is."""
    asked_at: float
    """Unix seconds."""
    lapses_at: float

    @property
    def name(self) -> str:
        """Enough of the id to type."""
        return self.id[:8]

    @property
    def words(self) -> str:
        """Why, and over which objections."""
        over = f", overriding {', '.join(self.overrides)}" if self.overrides else ""
        return f"because: {self.reason}{over}"


@dataclass(frozen=True, slots=True)
class Look:
    """A request as the second person's own cockpit sees it."""

    request: str
    """Its id."""
    plan: Plan | None
    """By our own runbook, on our own look at the platform; None where there is no such step."""
    against: tuple[str, ...] = ()
    """Why it cannot be approved: what is asked for is not what our own cockpit would do. Empty where it is."""

    @property
    def may_approve(self) -> bool:
        """Whether what is asked for is what our own cockpit would do."""
        return self.plan is not None and not self.against

    @property
    def phrase(self) -> str:
        """What who approves must type, as our own cockpit asks for it."""
        return (self.plan.phrase if self.plan is not None else None) or "y"

    def forbidding(self, request: Request, overrides: Collection[str] = ()) -> tuple[Check, ...]:
        """The checks that forbid it on our own look; what either of the two overrides, and may, does not."""
        blocking = self.plan.blocking if self.plan is not None else ()
        over = {*request.overrides, *overrides}
        return tuple(check for check in blocking if not (check.is_overridable and check.name in over))

    def overridden(self, request: Request, overrides: Collection[str]) -> tuple[Check, ...]:
        """Those that fail on our own look alone, and that who approves overrides."""
        return tuple(check for check in self.forbidding(request) if check.is_overridable and check.name in overrides)


@dataclass(frozen=True, slots=True)
class Consent:
    """What the second person did to say yes."""

    typed: str
    overrides: tuple[str, ...] = ()
    """Names of checks that fail on their own look and are overridden; with a reason."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Second:
    """How a request stands."""

    id: str
    standing: Standing
    words: str
    """For people: waiting, by whom it was approved or refused, why an approval does not count."""
    by: str | None = None
    """Who approved or refused it."""
    lapses_at: float | None = None

    @property
    def name(self) -> str:
        """Enough of the id to type."""
        return self.id[:8]
