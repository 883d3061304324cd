"""Whether a step could be taken now, as its checks said when they were last made."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from cockpit.model.plan import Check, Plan, Verdict
from themes.glyphs import Mark

OLD_S = 12.0
"""A verdict that was not renewed for so long is none."""

READY = Mark("●", "ready", "ok")
BLOCKED = Mark("■", "blocked", "crit")
UNKNOWN = Mark("?", "unknown", "unknown")
WOULD_FAIL = Mark("■", "would fail", "crit")
"""Nothing forbids to try."""
LOOKING = Mark("·", "looking", "dim")
"""Nobody has answered yet since the screen was opened."""
CALLED = {"venue": "broker", "pid": "backend"}
"""Parameters that people call otherwise."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The verdict on one step, and when it was made."""

    mark: Mark = LOOKING
    why: str = ""
    """What stands against it first, in one line; of a step that could be taken, what it warns of."""
    at: float = 0.0
    also: tuple[str, ...] = ()
    """What else does, each in one line."""

    def as_of(self, now: float) -> Standing:
        """What it is worth now."""
        if self.at and now - self.at > OLD_S:
            return Standing(UNKNOWN, "its checks did not answer lately", self.at)
        return self


def still_blocking(plan: Plan, chosen: Collection[str]) -> tuple[Check, ...]:
    """What stands against it once the one is chosen that the next sheet asks for."""
    return tuple(check for check in plan.blocking if check.name not in chosen)


def asking(parameter: str) -> Mark:
    """Nothing stands against it so far, and what it is taken on is still to be chosen."""
    return Mark("◇", f"asks which {CALLED.get(parameter, parameter)}", "notice")


def standing(
    plan: Plan | None, error: str, at: float, chosen: Collection[str] = (), asks: Sequence[str] = ()
) -> Standing:
    """What a plan's checks say, in one line; a warning, or what is `chosen` next, does not block, and is told.

    `asks` are those of `chosen` that have no default ever; another is asked for where the plan found none.
    """
    if plan is None:
        return Standing(UNKNOWN, error, at)
    blocking = still_blocking(plan, chosen)
    if blocking:
        # A check that fails says more than one that nobody could make.
        first = min(blocking, key=lambda check: check.verdict is Verdict.UNKNOWN)
        mark = UNKNOWN if first.verdict is Verdict.UNKNOWN else BLOCKED
        also = tuple(f"{check.name}: {check.detail}" for check in blocking if check is not first)
        return Standing(mark, f"{first.name}: {first.detail}", at, also)
    doubted = [check for check in plan.checks if check.excused is not Verdict.PASS]
    if doubted:
        first = min(doubted, key=lambda check: check.excused is Verdict.UNKNOWN)
        mark = UNKNOWN if first.excused is Verdict.UNKNOWN else WOULD_FAIL
        return Standing(mark, f"{first.name}: {first.detail}", at)
    warned = [check for check in plan.checks if check.verdict is Verdict.WARN or check in plan.blocking]
    open_ones = [*asks, *(check.name for check in plan.blocking)]
    mark = asking(open_ones[0]) if open_ones else READY
    return Standing(mark, "; ".join(f"{check.name}: {check.detail}" for check in warned[:1]), at)
