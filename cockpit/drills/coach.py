"""What the coach says: the next thing of the runbook, and more of it the longer one waits."""

from __future__ import annotations

from cockpit.model.drill import HALTED_BY, Drill, Scenario

PATIENCE_S = (30.0, 90.0, 180.0)


def said(drill: Drill, scenario: Scenario, now: float) -> tuple[str, ...]:
    """The next thing, then the hints that are due."""
    goal = drill.next_goal(scenario)
    if goal is None:
        return ("Everything is reached",)
    waited_s = now - drill.waits_since()
    by = dict(drill.facts).get(HALTED_BY) if drill.mets and drill.mets[-1].goal == "halted" else None
    say = f"Halted by {by}. {goal.say}" if by else goal.say
    due = [hint for hint, after_s in zip(goal.hints, PATIENCE_S, strict=False) if waited_s >= after_s]
    return (say, *due)
