"""Each step of the runbook with the plans that it would have here: one for each thing that it can be taken on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cockpit.alerting.force import in_force
from cockpit.config import Settings
from cockpit.jobs.action import action_for, choices_for
from cockpit.jobs.operator import current_operator
from cockpit.jobs.rows import as_its_row_says, with_fixed
from cockpit.model.action import ActionSpec
from cockpit.model.choice import OPEN
from cockpit.model.plan import Plan
from cockpit.model.snapshot import Snapshot
from cockpit.model.told import Told

PLACEHOLDERS = {"to": "N", "minutes": "30", "alert": "ALERT", "silence": "SILENCE"}
"""What is written where only the moment can say it."""
MOST = 12


def told(
    rows: Iterable[ActionSpec],
    settings: Settings,
    snapshot: Snapshot,
    now: float,
    stands_for: Mapping[str, str] = PLACEHOLDERS,
) -> tuple[Told, ...]:
    """Every row; what cannot be planned says why and hides no other."""
    return tuple(_told(row, settings, snapshot, now, stands_for) for row in rows)


def _told(row: ActionSpec, settings: Settings, snapshot: Snapshot, now: float, stands_for: Mapping[str, str]) -> Told:
    try:
        asked_for = _asked(row, settings, snapshot, stands_for)
        plans = tuple(_plan(row, asked, settings, snapshot, now) for asked in asked_for)
    except Exception as error:
        return Told(row, (), f"{type(error).__name__}: {error}")
    return Told(row, plans)


def _plan(row: ActionSpec, asked: Mapping[str, str], settings: Settings, snapshot: Snapshot, now: float) -> Plan:
    action = action_for(row.id)
    settings = in_force(settings, snapshot.alerting.value)
    plan = action.plan(settings, current_operator(), with_fixed(row, asked), snapshot, now)
    return as_its_row_says(plan, row, snapshot, now)


def _asked(
    row: ActionSpec, settings: Settings, snapshot: Snapshot, stands_for: Mapping[str, str]
) -> tuple[dict[str, str], ...]:
    """The parameters of each plan: what is open is taken from the configuration."""
    open_ones = [name for name, value in row.parameters if value == OPEN]
    if not open_ones and row.id.startswith("reroute."):
        open_ones = [row.selects] if row.selects else []
    if not open_ones:
        return ({},)
    rest = {name: stands_for.get(name, name.upper()) for name in open_ones[1:]}
    found = choices_for(row.id, open_ones[0], settings, snapshot, row.fixed)[:MOST]
    values = [choice.value for choice in found] or [stands_for.get(open_ones[0], open_ones[0].upper())]
    return tuple({open_ones[0]: value, **rest} for value in values)
