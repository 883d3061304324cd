"""A plan without a screen: on which evidence it is made, and how long that is waited for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from cockpit.headless.listening import Ear
from cockpit.model.danger import Danger
from cockpit.model.plan import Plan, Verdict
from cockpit.severity.silence import BACKENDS, configured

if TYPE_CHECKING:
    from cockpit.config import Settings
    from cockpit.jobs.action import Worked
    from cockpit.model.action import ActionSpec

Planned = TypeVar("Planned")

EVIDENCE = frozenset({"kill_switch", "redis", "venues", "flow", "risk"})
ALL_EVIDENCE = EVIDENCE | {"feeds", "reach"}
PROTECT_WAIT_S = 1.0
"""A halt is planned on what is known by then."""
OTHER_WAIT_S = 4.5
KNOWN_WAIT_S = 3.0
LOOK_AGAIN_S = 0.25
SILENT_S = 1.0
"""Whoever waits longer is told what for."""
Say = Callable[[str], None]


def ear_for(row: ActionSpec, settings: Settings) -> tuple[Ear, float]:
    """What hears the evidence for this step, and how many seconds it is waited for."""
    from cockpit.jobs.action import action_for, is_struck, is_worked

    action = action_for(row.id)
    if is_worked(action):
        return Ear(_planned_on(action, settings)), OTHER_WAIT_S
    is_halt = row.danger is Danger.PROTECT and is_struck(action)
    wanted = (EVIDENCE if is_halt else ALL_EVIDENCE) & configured(settings)
    return Ear(wanted), PROTECT_WAIT_S if is_halt else OTHER_WAIT_S


def _planned_on(action: Worked, settings: Settings) -> frozenset[str]:
    """A plan may want to see more than its steps are judged by: a notice tells of everything."""
    wanted: frozenset[str] = getattr(action, "PLANNED_ON", action.EVIDENCE)
    return wanted if wanted == action.EVIDENCE else wanted & configured(settings)


def heard(ear: Ear, wait_s: float, say: Say) -> None:
    """Wait for the evidence; from the first second on, say whose answer is still waited for, whenever that changes."""
    ends_at, said = time.monotonic() + wait_s, ""
    while not ear.wait_round(max(0.0, min(SILENT_S, ends_at - time.monotonic()))):
        if time.monotonic() >= ends_at:
            return
        missing = ear.missing
        names = ", ".join(one.name for one in BACKENDS if missing.intersection(one.fields))
        if names != said:
            said = names
            say(f"still waiting for {names}")


def known(
    prepare: Callable[[], Planned], plan_of: Callable[[Planned], Plan | None], say: Say = lambda words: None
) -> Planned:
    """What is planned; what is merely unknown may be known in a moment: a late answer is no reason to refuse."""
    ends_at, is_said = time.monotonic() + KNOWN_WAIT_S, False
    while True:
        found = prepare()
        plan = plan_of(found)
        unknown = () if plan is None else [check.name for check in plan.blocking if check.verdict is Verdict.UNKNOWN]
        if not unknown or time.monotonic() >= ends_at:
            return found
        if not is_said:
            is_said = True
            say(f"not known yet, looking again: {', '.join(unknown)}")
        time.sleep(LOOK_AGAIN_S)
