"""What the coach says: the next thing of the runbook, and more of it the longer one waits."""

from __future__ import annotations

from cockpit.model.drill import Drill, Scenario

PATIENCE_S = (30.0, 90.0, 180.0)


def said(drill: Drill, scenario: Scenario, now: float) -> tuple[str, ...]:
    """The next thing, then the hints that are due."""
    goal = drill.next_goal(scenario)
    if goal is None:
        return ("Everything is reached",)
    waited_s = now - drill.waits_since()
    due = [hint for hint, after_s in zip(goal.hints, PATIENCE_S, strict=False) if waited_s >= after_s]
    return (goal.say, *due)
