"""When each scenario is due: so many days after it was last played to its end, passed or not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cockpit.drills.scenarios import scenarios
from cockpit.model.drill import Drill, Due, Scenario

DAY_S = 86_400.0


def schedule(ended: Sequence[Drill], now: float) -> tuple[Due, ...]:
    """What is overdue longest first, then what the runbook does not ask for."""
    found = [_due(one, ended, now) for one in scenarios()]
    return tuple(sorted(found, key=lambda due: float("inf") if due.due_at is None else due.due_at))


def _due(scenario: Scenario, ended: Iterable[Drill], now: float) -> Due:
    played = [one for one in ended if one.scenario == scenario.name and one.ending == "ended"]
    last = max(played, key=lambda one: one.started_at, default=None)
    if scenario.every_days is None:
        return Due(scenario, last)
    return Due(scenario, last, now if last is None else last.started_at + scenario.every_days * DAY_S)
