"""What a step that a worker performs is made of: what it is given, what came of it, and how it is looked for later."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from cockpit.clock import Clock
from cockpit.config import Settings
from cockpit.model.audit import Operator
from cockpit.model.job import StepState
from cockpit.model.plan import Plan
from cockpit.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a step, or what was found when it was looked for."""

    state: StepState
    """DONE, FAILED (it is known not to be done) or UNKNOWN."""
    detail: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What later steps and proofs need; journaled."""
    is_stopped: bool = False
    """Whether somebody stopped it before its end."""


class Output(Protocol):
    """Where the output of commands goes."""

    def write(self, chunk: bytes) -> bytes:
        """Take the next piece, as it comes, whatever the disk says; what of all that came may be shown."""

    def flush(self) -> bytes:
        """A program has ended: what was held back, for it might have begun a secret."""

    def aside(self) -> Output:
        """For what is only looked at: the same secrets hidden, nothing kept."""

    @property
    def shortfall(self) -> str:
        """What could not be kept, in words; empty where everything was."""


class Tell(Protocol):
    """Says what is happening now."""

    def __call__(self, words: str, fraction: float | None = None) -> None:
        """In words, and how much of the step is done, 0 to 1, where that is known."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What a step and its proofs may rely on."""

    settings: Settings
    clock: Clock
    operator: Operator
    plan: Plan
    snapshot: Snapshot
    """The platform now, freshly read."""
    facts: Mapping[str, Any]
    """What was noted before and after the steps so far."""
    output: Output
    tell: Tell
    locks: tuple[int, ...] = ()
    """Descriptors of the plan's locks: a child that inherits them keeps the target for as long as it lives."""
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once somebody has asked to stop the job; only what does no harm half-way heeds it."""
    reason: str = ""
    """Why it was confirmed."""


class Step:
    """One step of a plan, by its index in the plan."""

    deadline_s = 15.0
    is_look = False
    """Whether it changes nothing, so that whoever only looks after a job may do it too."""
    is_protective = False
    """Whether it only makes safe, and doing it twice does no harm: whoever looks after the job does it, too."""
    settle_s = 3.0
    """So long after a worker died its step may still take effect; before that, "not there" means nothing."""

    def fit(self, settings: Settings) -> None:
        """Set what of its limits depends on the configuration; whoever only looks after it needs them too."""

    def before(self, stage: Stage) -> dict[str, Any]:
        """What must be known to find out later whether it was done; journaled before the act."""
        return {}

    def command(self, stage: Stage) -> str | None:
        """The exact command, where it is more exact than the plan's."""
        return None

    async def perform(self, stage: Stage) -> Result:
        """Do it; errors of backends may be raised."""
        raise NotImplementedError

    async def look(self, stage: Stage) -> Result:
        """The same by more than the snapshot, where more is needed; changes nothing. Errors may be raised."""
        return self.probe(stage)

    def probe(self, stage: Stage) -> Result:
        """Whether it is done, by what the snapshot shows; for when nobody could write that down."""
        return Result(StepState.UNKNOWN, "nothing in the platform tells whether it was done")
