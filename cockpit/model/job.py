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
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self not in (Phase.QUEUED, Phase.RUNNING, Phase.VERIFYING)


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
    """What is happening now; once it is over, what came of it."""
    took_s: float | None = None
    """For a step: how long it took. For a proof: seconds after the act at which it held."""
    fraction: float | None = None
    """How much of it is done, 0 to 1, while it runs; None where nobody can tell."""


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
    is_cancellable: bool = False
    """Whether it may be stopped before its end."""
    cancelled_by: str | None = None
    """Who has asked to stop it."""
    resolved_by: str | None = None
    """Whose word it is that it was done, or was not; None where the platform said so."""
    usually_s: float | None = None
    """How long the last ones took, as it was known when it was confirmed."""
    recovered_to: float | None = None
    """Where what it puts back ends, in Unix seconds: what came later is not in it. None where it puts nothing back."""
    overrides: tuple[str, ...] = ()
    """The failed checks that were overridden as it was confirmed."""
