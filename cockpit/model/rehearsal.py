"""Whether each step of the runbook would work now, found out without taking any."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What taking the step now would come to; the worst last."""

    NEEDLESS = "not needed now"
    IN_TURN = "after another step"
    WORKS = "would work"
    LIMITED = "limited"
    UNKNOWN = "unknown"
    BROKEN = "would not work"

    @property
    def is_well(self) -> bool:
        """Whether nothing has to be done about it."""
        return self not in (Outcome.UNKNOWN, Outcome.BROKEN)

    @property
    def is_whole(self) -> bool:
        """Whether all of it would work when its turn comes."""
        return self.is_well and self is not Outcome.LIMITED


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """One step, or one thing that several steps rely on."""

    name: str
    """The step's name, or what the thing is called."""
    title: str
    section: str
    section_title: str
    keys: str
    """Space b k; empty where it is no step."""
    outcome: Outcome
    reason: str
    advice: str = ""
    """What to do about it."""
    checked: int = 0
    """How many questions were asked."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """All of the runbook at one moment."""

    at: float
    took_s: float
    world: str
    site: str
    by: str
    lines: tuple[Rehearsed, ...]

    @property
    def worst(self) -> Outcome:
        """Of all lines."""
        order = list(Outcome)
        return max((line.outcome for line in self.lines), key=order.index, default=Outcome.UNKNOWN)

    def count(self, outcome: Outcome) -> int:
        """How many lines came to that."""
        return sum(line.outcome is outcome for line in self.lines)
