"""The only thing that a human confirms: what will happen, exactly, with its checks and its proof."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field

from cockpit.model.danger import Danger as Danger
from cockpit.model.verdict import Verdict as Verdict
from cockpit.model.world import World

GLASS = "BREAK GLASS"
"""What must be typed to act alone where a second person is needed."""


@dataclass(frozen=True, slots=True)
class Check:
    """One question asked before the act, its answer, and how old the evidence is."""

    name: str
    verdict: Verdict
    detail: str
    evidence_age_s: float | None = None
    is_overridable: bool = False
    """Whether a failed answer may be overridden, with a reason."""
    excused: Verdict = Verdict.PASS
    """The answer that only warns here, for the step is tried all the same: FAIL or UNKNOWN; PASS where none is."""

    @property
    def blocks(self) -> bool:
        """Whether this check alone forbids the act (unknown is not good enough either)."""
        return self.verdict in (Verdict.FAIL, Verdict.UNKNOWN)


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One thing that will be done: what it means and the exact command."""

    meaning: str
    command: str
    by_hand: str | None = None
    """The same as a shell line that an operator could type."""
    timeout_s: float | None = None
    """When a program is ended that has not come to its end; None where it is not a program."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything about one act before it happens; the digest names it."""

    action: str
    """kill_switch.engage"""
    title: str
    sentence: str
    """What will happen, in one sentence."""
    world: World
    site: str
    target: str
    danger: Danger
    parameters: tuple[tuple[str, str], ...]
    steps: tuple[PlanStep, ...]
    checks: tuple[Check, ...]
    impact: tuple[str, ...]
    proofs: tuple[str, ...]
    """What will be shown to prove success, in words."""
    proof_deadline_s: float
    undo: str
    phrase: str | None = None
    """What must be typed; None where a single key confirms."""
    needs_reason: bool = False
    needs_second: bool = False
    """Whether a second person must approve it; that depends on the world, so the runner decides it."""
    usually: str | None = None
    """How long it took the last times, in words."""
    usually_s: float | None = None
    """The same in seconds, confirmed to proven: the median."""
    locks: tuple[str, ...] = ()
    """What nobody else may work on meanwhile, beside the target."""
    is_cancellable: bool = False
    """Whether it may be stopped half-way without harm."""
    step: str = ""
    """The row of the runbook that it was made for."""
    why_nobody: str = field(default="", compare=False)
    """Why no second person could approve it here, where one is needed; empty where one can."""
    is_settled: bool = field(default=False, compare=False)
    """Its parameters hold all that was decided: asked again with them, the same would be done."""
    prepared_at: float = field(default=0.0, compare=False)

    @property
    def intent(self) -> dict[str, object]:
        """What would be done, and what guards it (not the evidence, which ages)."""
        return {
            "action": self.action,
            "world": self.world.value,
            "site": self.site,
            "target": self.target,
            "parameters": self.parameters,
            "steps": [asdict(step) for step in self.steps],
            "danger": self.danger.value,
            "needs_second": self.needs_second,
            # Whether, not which: a phrase may count what is held, and that ages too.
            "is_typed": self.phrase is not None,
            "locks": self.locks,
        }

    @property
    def digest(self) -> str:
        """SHA-256 of the intent."""
        return hashlib.sha256(json.dumps(self.intent, sort_keys=True).encode()).hexdigest()

    @property
    def held(self) -> tuple[str, ...]:
        """Everything that is locked while it is done, in the order in which all lock."""
        return tuple(sorted({self.target, *self.locks}))

    @property
    def blocking(self) -> tuple[Check, ...]:
        """The checks that forbid the act."""
        return tuple(check for check in self.checks if check.blocks)

    @property
    def is_allowed(self) -> bool:
        """Whether nothing forbids it."""
        return not self.blocking


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What the human did to say yes."""

    digest: str
    typed: str | None = None
    reason: str | None = None
    overrides: tuple[str, ...] = ()
    """Names of the failed checks that are overridden."""
    approval: str | None = None
    """The id of the request that a second person approved."""
    break_glass: bool = False
    """Done alone, against the rule of two persons, with a reason and recorded loudly."""
