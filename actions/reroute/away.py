"""Reroute a venue's orders to its backup adapter."""

from __future__ import annotations

from collections.abc import Mapping

from actions.reroute.override import EVIDENCE, judge, steps, venue_of
from actions.reroute.planning import make
from cockpit.config import Settings
from cockpit.model.audit import Operator
from cockpit.model.plan import Plan
from cockpit.model.snapshot import Snapshot

__all__ = ["EVIDENCE", "ID", "judge", "plan", "steps"]

ID = "reroute.away"


def plan(settings: Settings, operator: Operator, parameters: Mapping[str, str], snapshot: Snapshot, now: float) -> Plan:
    """The venue that was asked for, else the first with a backup that is not up; where all are up, none by itself."""
    backups = {one.name: one.backup for one in settings.venues if one.backup}
    venue = parameters.get("venue") or _broken(backups, snapshot)
    to = parameters.get("to") or backups.get(venue or "")
    return make(ID, settings, snapshot, venue, to or "(no backup)", _why_not(settings, snapshot, venue, to), now)


def _broken(backups: Mapping[str, str], snapshot: Snapshot) -> str | None:
    for name in backups:
        venue = venue_of(snapshot, name)
        if venue is not None and venue.status != "up" and not venue.override:
            return name
    return None


def _why_not(settings: Settings, snapshot: Snapshot, venue: str | None, to: str | None) -> str:
    names = [one.name for one in settings.venues]
    if venue is None:
        example = next((one.name for one in settings.venues if one.backup), "VENUE")
        return f"no broker with a backup is down: name the one that is meant, as --set venue={example}"
    if venue not in names:
        return f"{venue} is not among the configured venues ({', '.join(names)})"
    if to is None:
        return f"no backup is configured for {venue}"
    found = venue_of(snapshot, venue)
    if to.lower() == venue.lower():
        return f"{venue} cannot be its own backup"
    is_there = found is not None and (found.override or "").lower() == to.lower()
    return f"its orders go to {to} already" if is_there else ""
