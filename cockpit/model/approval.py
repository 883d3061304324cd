"""A second person's yes to one plan: asked for, given, refused, lapsed or used."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cockpit.model.plan import Plan


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
    """Somebody asks for a second person; its id is the hash of everything that the second person sees."""

    id: str
    plan: Plan
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
    def doubt(self) -> str:
        """What of it nobody but who asks vouches for."""
        return (
            f"Only the commands are sure: sentence, checks and impact are as {self.by} filed them. Look at your wall."
        )

    @property
    def words(self) -> str:
        """Why, and over which objections."""
        over = f", overriding {', '.join(self.overrides)}" if self.overrides else ""
        return f"because: {self.reason}{over}"


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
