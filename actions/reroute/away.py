"""Reroute a venue's orders to its backup adapter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from actions.reroute.override import EVIDENCE, is_up, judge, stands, steps, venue_of
from actions.reroute.planning import NO_BACKUP, make
from cockpit.config import Settings
from cockpit.model.audit import Operator
from cockpit.model.choice import Choice
from cockpit.model.plan import Plan
from cockpit.model.snapshot import Snapshot

__all__ = ["EVIDENCE", "ID", "choices", "judge", "plan", "steps"]

ID = "reroute.away"
FINE = 4


def plan(settings: Settings, operator: Operator, parameters: Mapping[str, str], snapshot: Snapshot, now: float) -> Plan:
    """The venue that was asked for, else the one with a backup that needs it most; where all are up, none by itself."""
    backups = {one.name: one.backup for one in settings.venues if one.backup}
    venue = parameters.get("venue") or _broken(settings, snapshot, backups)
    to = parameters.get("to") or backups.get(venue or "")
    return make(ID, settings, snapshot, venue, to or NO_BACKUP, _why_not(settings, snapshot, venue, to), now)


def choices(parameter: str, settings: Settings, snapshot: Snapshot, chosen: Mapping[str, str]) -> tuple[Choice, ...]:
    """The brokers that have a backup, the one that needs it most first."""
    backups = {one.name: one.backup for one in settings.venues if one.backup}
    ordered = sorted(backups, key=lambda name: _need(settings, snapshot, name))
    return tuple(
        Choice("venue", name, f"{stands(settings, snapshot, name)}, backup {backups[name]}") for name in ordered
    )


def _broken(settings: Settings, snapshot: Snapshot, backups: Iterable[str]) -> str | None:
    """The one that needs it most; the first of several."""
    name = min(backups, key=lambda name: _need(settings, snapshot, name), default=None)
    return name if name is not None and _need(settings, snapshot, name) < FINE else None


def _need(settings: Settings, snapshot: Snapshot, name: str) -> int:
    """How much a broker needs another to take its orders, 0 most: an adapter that died goes on saying up."""
    venue = venue_of(snapshot, name)
    if venue is None or venue.override:
        return FINE
    if venue.status == "down":
        return 0
    age_s = venue.age_s
    if age_s is None or age_s > settings.thresholds.venue_silent_s:
        return 1
    if any(one.venue == name and not one.is_up for one in snapshot.reach.value or ()):
        return 2
    return FINE if is_up(settings, venue) else 3


def _why_not(settings: Settings, snapshot: Snapshot, venue: str | None, to: str | None) -> str:
    names = [one.name for one in settings.venues]
    if venue is None:
        has_backup = any(one.backup for one in settings.venues)
        return f"no broker {'with a backup is down: choose the one that is meant' if has_backup else 'has a backup'}"
    if venue not in names:
        return f"{venue} is not among the configured venues ({', '.join(names)})"
    if to is None:
        return f"no backup is configured for {venue}"
    found = venue_of(snapshot, venue)
    if to.lower() == venue.lower():
        return f"{venue} cannot be its own backup"
    is_there = found is not None and (found.override or "").lower() == to.lower()
    return f"its orders go to {to} already" if is_there else ""
