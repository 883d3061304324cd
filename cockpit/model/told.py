"""One row of the runbook with the plans that it would have now."""

from __future__ import annotations

from dataclasses import dataclass

from cockpit.model.action import ActionSpec
from cockpit.model.plan import Plan


@dataclass(frozen=True, slots=True)
class Told:
    """One row, and what it would do."""

    row: ActionSpec
    plans: tuple[Plan, ...]
    error: str = ""
