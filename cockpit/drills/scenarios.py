"""The scenarios, read from the file beside this one; a wrong one is found by the first who looks."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from cockpit.drills.goals import is_understood
from cockpit.errors import ConfigError
from cockpit.model.drill import Goal, Scenario
from cockpit.reading import OURS
from cockpit.sandbox.faults import FAULTS

FILE = Path(__file__).with_name("scenarios.yaml")


@cache
def scenarios() -> tuple[Scenario, ...]:
    """All of them, in the order of the file.

    Raises:
        ConfigError: the file is wrong.
    """
    raw = yaml.load(FILE.read_text(encoding="utf-8"), OURS)  # noqa: S506 - a SafeLoader
    return tuple(_scenario(fields) for fields in raw["scenarios"])


def scenario(name: str) -> Scenario | None:
    """The one of that name."""
    return next((one for one in scenarios() if one.name == name), None)


def _scenario(fields: dict[str, Any]) -> Scenario:
    goals = tuple(Goal(**{**goal, "hints": tuple(goal.get("hints", ()))}) for goal in fields.pop("goals"))
    found = Scenario(**fields, goals=goals)
    names = [goal.name for goal in goals]
    wrong = [goal.name for goal in goals if not is_understood(goal.when) or goal.after not in ("", *names)]
    if found.fault not in FAULTS or found.mends_after not in ("", *names) or wrong:
        raise ConfigError(f"{FILE.name}: {found.name} is wrong: {', '.join(wrong) or found.fault}")
    return found
