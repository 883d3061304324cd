"""The runbook's row behind a plan: the parameters that it fixes, what it asks for, and what may be overridden."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from cockpit.errors import Rejected
from cockpit.model.action import ActionSpec, row_named
from cockpit.model.plan import Check, Danger, Plan, Verdict
from cockpit.model.snapshot import Snapshot

UNSAFE_UNNAMED = "general."
"""What such an action does stands in its row alone: it is never taken by the action's name."""


def row_for(actions: Iterable[ActionSpec], name: str) -> ActionSpec:
    """The row of that step, or the first of that action.

    Raises:
        Rejected: there is none.
    """
    row = row_named(actions, name)
    if row is None or (row.step != name and name.startswith(UNSAFE_UNNAMED)):
        raise Rejected(f"there is no action {name}")
    return row


def with_fixed(row: ActionSpec, parameters: Mapping[str, str]) -> dict[str, str]:
    """All parameters; what the row fixes is fixed.

    Raises:
        Rejected: somebody asks for something else.
    """
    for name, value in row.fixed.items():
        if parameters.get(name, value) != value:
            raise Rejected(f"{row.step} is for {name} {value}: that cannot be set otherwise")
    # What is open and was not chosen is nothing: never the action's own default.
    return {**dict.fromkeys(row.asks, ""), **parameters, **row.fixed}


def as_its_row_says(plan: Plan, row: ActionSpec, snapshot: Snapshot, now: float) -> Plan:
    """The plan under what its row asks for; nothing of what would be done changes."""
    checks = tuple(_overridable(row, check) for check in (*plan.checks, *_guards(row, snapshot, now)))
    needs_reason = plan.needs_reason or ("reason" in row.guards and plan.danger is not Danger.OBSERVE)
    needs_second = "second" in row.guards and plan.danger is not Danger.OBSERVE
    # Where nothing is typed there is no place for a reason either.
    phrase = plan.phrase or (plan.target if needs_reason else None)
    return replace(
        plan,
        step=row.step,
        checks=checks,
        needs_reason=needs_reason,
        needs_second=needs_second,
        phrase=phrase,
    )


def _overridable(row: ActionSpec, check: Check) -> Check:
    if row.overrides is None or check.name in row.overrides or not check.is_overridable:
        return check
    return replace(check, is_overridable=False)


def _guards(row: ActionSpec, snapshot: Snapshot, now: float) -> Iterator[Check]:
    if "halted" in row.guards:
        switch = snapshot.kill_switch
        age_s = switch.age_s(now)
        if switch.value is None or not switch.is_live(now):
            yield Check("halted", Verdict.UNKNOWN, f"whether trading is halted is unknown: {switch.error}", age_s)
        elif not switch.value.is_engaged:
            yield Check("halted", Verdict.FAIL, "trading is ACTIVE: engage the kill switch first (K)", age_s)
        else:
            yield Check("halted", Verdict.PASS, "the kill switch is engaged", age_s)
