"""Where somebody stands on the way through a section of the runbook, step by step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Passed(StrEnum):
    """How a step of a walk was left behind."""

    PROVEN = "proven"
    SKIPPED = "skipped"
    UNPROVEN = "not proven"
    """Taken, and gone on from although nobody could prove it."""


@dataclass(frozen=True, slots=True)
class Walk:
    """A section, its steps by name, and what became of those that lie behind."""

    section: str
    """3.3"""
    title: str
    steps: tuple[str, ...]
    by: str
    """Who moved it last: asha@jump1."""
    at: float
    """When, in Unix seconds."""
    passed: tuple[Passed, ...] = ()
    job: str | None = None
    """The job of the present step, once there is one."""

    @property
    def step(self) -> str | None:
        """The step that comes next; None at the end.

        >>> Walk("3.3", "Redis crash", ("restart-redis", "replay"), "asha", 0.0, (Passed.PROVEN,)).step
        'replay'
        """
        return self.steps[len(self.passed)] if len(self.passed) < len(self.steps) else None

    @property
    def words(self) -> str:
        """Where it stands.

        >>> Walk("3.3", "Redis crash", ("restart-redis", "replay"), "asha", 0.0).words
        '3.3 Redis crash: step 1 of 2'
        """
        head = f"{self.section} {self.title}"
        if self.step is None:
            return f"{head}: all {len(self.steps)} steps are behind"
        return f"{head}: step {len(self.passed) + 1} of {len(self.steps)}"

    def past(self, passed: Passed, by: str, at: float) -> Walk:
        """With the present step left behind."""
        return replace(self, passed=(*self.passed, passed), job=None, by=by, at=at)

    def with_job(self, job: str, by: str, at: float) -> Walk:
        """With the job of the present step."""
        return replace(self, job=job, by=by, at=at)
