"""Passed or not: every goal reached, in the runbook's order, within the recovery time objective."""

from __future__ import annotations

from cockpit.model.drill import Drill, Scenario

LAST = ("released",)
"""Trading again is no part of recovering: that takes the time that its checks take."""


def recovered_s(drill: Drill, scenario: Scenario) -> float | None:
    """From the fault to the last goal but the release; None where one is not reached."""
    counted = [drill.met(goal.name) for goal in scenario.goals if goal.name not in LAST]
    known = [at for at in counted if at is not None]
    return max(known) - drill.started_at if len(known) == len(counted) and known else None


def missed(drill: Drill, scenario: Scenario) -> tuple[str, ...]:
    """Why it is not passed; nothing where it is."""
    found = [f"{goal.name}: not reached" for goal in scenario.goals if drill.met(goal.name) is None]
    took_s = recovered_s(drill, scenario)
    if drill.rto_s is not None and took_s is not None and took_s > drill.rto_s:
        found.append(f"recovery took {took_s:.0f} s, the objective is {drill.rto_s:.0f} s")
    halted, recovered = drill.met("halted"), drill.met("recovered")
    if scenario.halts_first and recovered is not None and (halted is None or halted > recovered):
        found.append("recovered before trading was halted: the runbook halts first")
    return tuple(found)
