"""What every plan checks alike: the world, and that there is evidence fresh enough to judge by."""

from __future__ import annotations

from typing import TypeVar

from cockpit.model.plan import Check, Verdict
from cockpit.model.sample import Sample
from cockpit.model.world import World

T = TypeVar("T")
PASS, WARN, FAIL, UNKNOWN = Verdict.PASS, Verdict.WARN, Verdict.FAIL, Verdict.UNKNOWN


def world_check(world: World) -> tuple[Check, ...]:
    """A recording cannot be acted on."""
    return (Check("world", FAIL, "this is a recording: nothing can be done in it"),) if world is World.REPLAY else ()


def evidence_error(name: str, sample: Sample[T], now: float) -> Check | None:
    """The check that blocks where there is no evidence to judge by; None where there is."""
    if sample.is_live(now):
        return None
    age_s = sample.age_s(now)
    why = sample.error or ("nothing read yet" if age_s is None else f"last read {age_s:.0f} s ago")
    return Check(name, UNKNOWN, f"unknown: {why}", age_s)
