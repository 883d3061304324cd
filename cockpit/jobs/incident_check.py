"""Communicate: what disturbs trading is done within an open incident, so that somebody can read of it afterwards."""

from __future__ import annotations

from cockpit.model.danger import Danger
from cockpit.model.plan import Check, Plan, Verdict
from cockpit.model.snapshot import Snapshot
from cockpit.model.world import World

NAME = "open incident"
HOW = "i opens one, or `cockpit incident new`"


def incident_checks(plan: Plan, snapshot: Snapshot) -> tuple[Check, ...]:
    """Stopping never waits for paper, and a sandbox is for trying; a log that cannot be written strands nobody."""
    if plan.danger not in (Danger.DISRUPT, Danger.DANGER) or plan.world not in (World.LIVE, World.PAPER):
        return ()
    found = snapshot.incidents
    if found.error or found.value is None:
        why = found.error or "not read yet"
        return (Check(NAME, Verdict.UNKNOWN, f"the incident log cannot be read: {why}", is_overridable=True),)
    age_s = found.age_s(snapshot.taken_at)
    if not found.is_live(snapshot.taken_at):
        why = "it was not read lately: whether one is open now is not known"
        return (Check(NAME, Verdict.UNKNOWN, why, age_s, is_overridable=True),)
    if not found.value:
        return (Check(NAME, Verdict.FAIL, f"none is open: {HOW}", is_overridable=True),)
    newest = found.value[0]
    return (Check(NAME, Verdict.PASS, f"{newest.severity.label} {newest.title}", age_s),)
