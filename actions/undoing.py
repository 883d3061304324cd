"""Which action undoes which, and on what; what cannot be undone is not here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cockpit.model.action import ActionSpec
from cockpit.model.choice import OPEN


@dataclass(frozen=True, slots=True)
class Undoing:
    """What undoes an action."""

    action: str
    takes: str | None = None
    """The parameter that is what the job was about: undoing must not fall back on another deployment."""


UNDONE_BY: Mapping[str, Undoing] = {
    "kill_switch.engage": Undoing("kill_switch.release"),
    "kill_switch.release": Undoing("kill_switch.engage"),
    "reroute.away": Undoing("reroute.back", "venue"),
    "reroute.back": Undoing("reroute.away", "venue"),
    "feed.switch": Undoing("feed.switch"),
    "rollout.restart": Undoing("rollout.undo", "deployment"),
    "rollout.undo": Undoing("rollout.undo", "deployment"),
    "rollout.scale": Undoing("rollout.scale", "deployment"),
    "alerts.silence": Undoing("alerts.expire"),
    "pg_restore.restore": Undoing("pg_restore.swap_back"),
    "pg_restore.swap_back": Undoing("pg_restore.swap_back"),
}


def undoing(action: str, target: str, steps: Iterable[ActionSpec]) -> tuple[ActionSpec, dict[str, str]] | None:
    """The step that undoes a job of this action on this target, and what is chosen for it; None where none does."""
    how = UNDONE_BY.get(action)
    if how is None:
        return None
    chosen = {how.takes: target} if how.takes else {}
    # A row that asks for it is meant for any; one that does not is meant for its own.
    for step in sorted(steps, key=lambda step: how.takes is None or how.takes not in step.asks):
        fixed = dict(step.parameters)
        if step.id == how.action and all(fixed.get(name, OPEN) in (OPEN, value) for name, value in chosen.items()):
            return step, chosen
    return None
