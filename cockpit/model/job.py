"""A plan on its way: a fold over its journal, nothing more."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cockpit.model.world import World


class Phase(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    VERIFYING = "verifying"
    DONE = "done"
    FAILED = "failed"
    IN_DOUBT = "in doubt"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self in (Phase.DONE, Phase.FAILED, Phase.IN_DOUBT)


class StepState(StrEnum):
    """One step, or one proof, of a job."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class JobStep:
    """One step or proof with its outcome."""

    name: str
    state: StepState = StepState.WAITING
    detail: str = ""
    took_s: float | None = None
    """For a step: how long it took. For a proof: seconds after the act at which it held."""


@dataclass(frozen=True, slots=True)
class Job:
    """What became of one confirmed plan."""

    id: str
    action: str
    title: str
    target: str
    world: World
    digest: str
    by: str
    phase: Phase
    submitted_at: float
    ended_at: float | None = None
    steps: tuple[JobStep, ...] = ()
    proofs: tuple[JobStep, ...] = ()
    error: str | None = None
    reason: str | None = None
    notes: tuple[str, ...] = ()
    """What must be said aloud besides: written before its intent was on disk."""
