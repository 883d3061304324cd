"""What every action must offer, and where it is: kill_switch.engage is the module actions/kill_switch/engage.py."""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Protocol, TypeGuard, cast

from actions.catalogue import KNOWN
from actions.kill_switch.intent import Write
from actions.step import Stage, Step
from cockpit.config import Settings
from cockpit.errors import Rejected
from cockpit.model.audit import Operator
from cockpit.model.choice import Choice
from cockpit.model.job import JobStep
from cockpit.model.plan import Confirmation, Plan
from cockpit.model.snapshot import Snapshot


class Action(Protocol):
    """The functions of an action's module."""

    def plan(
        self, settings: Settings, operator: Operator, parameters: Mapping[str, str], snapshot: Snapshot, now: float
    ) -> Plan:
        """What it would do now."""


Offered = Callable[[str, Settings, Snapshot, Mapping[str, str]], Iterable[Choice]]
"""An action's own `choices`, where it has them."""


class Struck(Action, Protocol):
    """One protective write, done by the cockpit itself because it must be quick, and proven by a worker."""

    def write(self, operator: Operator, plan: Plan, confirmation: Confirmation, ts_ms: int) -> Write:
        """What is written once it is confirmed, signed with this moment."""

    def failure(self, settings: Settings, error: str, is_known: bool) -> tuple[str, ...]:
        """What the operator must know when it was not taken, or when nobody knows whether it was."""


class Worked(Action, Protocol):
    """Steps that a detached worker performs and proves."""

    EVIDENCE: frozenset[str]
    """The samples of the snapshot that plan, steps and proofs are judged by."""

    def steps(self, plan: Plan) -> tuple[Step, ...]:
        """What performs each of the plan's steps."""

    def judge(self, stage: Stage) -> tuple[JobStep, ...] | Awaitable[tuple[JobStep, ...]]:
        """Each proof as it stands now. RUNNING: seen and not yet so; UNKNOWN: not seen; FAILED: for good."""


def action_for(action_id: str) -> Action:
    """The module that does it.

    Raises:
        Rejected: there is no such action.
    """
    if action_id not in KNOWN:
        raise Rejected(f"there is no action {action_id}")
    return cast(Action, importlib.import_module(f"actions.{action_id}"))


def choices_for(
    action_id: str, parameter: str, settings: Settings, snapshot: Snapshot, chosen: Mapping[str, str]
) -> tuple[Choice, ...]:
    """What may be chosen for a parameter that a row leaves open; nothing where the action offers nothing.

    Raises:
        Rejected: there is no such action.
    """
    offered: Offered | None = getattr(action_for(action_id), "choices", None)
    return () if offered is None else tuple(offered(parameter, settings, snapshot, chosen))


def variables_for(action: Action, plan: Plan) -> tuple[str, ...]:
    """The variables of our environment that a plan's programs are given beside the usual ones."""
    found: Callable[[Plan], tuple[str, ...]] | None = getattr(action, "variables", None)
    return () if found is None else found(plan)


def is_struck(action: Action) -> TypeGuard[Struck]:
    """Whether the cockpit itself does it."""
    return hasattr(action, "write")


def is_worked(action: Action) -> TypeGuard[Worked]:
    """Whether a worker does it."""
    return hasattr(action, "steps")
