"""Give a rerouted venue its orders back."""

from __future__ import annotations

from collections.abc import Mapping

from actions.reroute.override import EVIDENCE, judge, stands, steps, venue_of
from actions.reroute.planning import make
from cockpit.config import Settings
from cockpit.model.audit import Operator
from cockpit.model.choice import Choice
from cockpit.model.plan import Plan
from cockpit.model.snapshot import Snapshot

__all__ = ["EVIDENCE", "ID", "choices", "judge", "plan", "steps"]

ID = "reroute.back"


def plan(settings: Settings, operator: Operator, parameters: Mapping[str, str], snapshot: Snapshot, now: float) -> Plan:
    """The venue that was asked for, else the first that is rerouted."""
    rerouted = next((one.name for one in snapshot.venues.value or () if one.override), None)
    venue = parameters.get("venue") or rerouted
    found = venue_of(snapshot, venue) if venue else None
    why_not = (
        "" if found is not None and found.override else f"{venue} is not rerouted" if venue else "nothing is rerouted"
    )
    return make(ID, settings, snapshot, venue, None, why_not, now)


def choices(parameter: str, settings: Settings, snapshot: Snapshot, chosen: Mapping[str, str]) -> tuple[Choice, ...]:
    """The brokers that are rerouted; where nobody knows of one, those that could be."""
    rerouted = [one.name for one in snapshot.venues.value or () if one.override]
    names = rerouted or [one.name for one in settings.venues if one.backup]
    return tuple(Choice("venue", name, stands(settings, snapshot, name)) for name in names)
