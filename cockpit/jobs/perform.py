"""Does what was confirmed, step by step, if it is still what would be done and fresh evidence still allows it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from actions.runbook import runbook_for
from actions.step import Result, Step
from cockpit.alerting.force import in_force
from cockpit.clients.bounded import bounded
from cockpit.errors import BackendError, CockpitError, ConfigError, Refused, Rejected, Unreachable
from cockpit.jobs.guard import why_not_on
from cockpit.jobs.resolve import settled
from cockpit.jobs.rows import as_its_row_says, row_for
from cockpit.jobs.scene import Scene
from cockpit.jobs.seconds import with_second
from cockpit.model.job import Phase, StepState
from cockpit.model.snapshot import Snapshot

PATIENCE_S = 6.0
"""So long evidence may need to be fresh: a single answer that is late is no reason to refuse."""
LOOK_AGAIN_S = 0.5


async def perform(scene: Scene, overrides: Collection[str], why_not_admitted: Callable[[], str | None]) -> Phase | None:
    """How it ended; None where every step is done and the proof is to come.

    `why_not_admitted` is asked last, right before the act: an approval counts once.
    """
    snapshot, refusal = await _judged(scene, overrides)
    if refusal is None:
        refusal = why_not_admitted()
    if refusal is not None:
        return scene.end(Phase.FAILED, f"nothing was done: {refusal}")
    for index, step in enumerate(scene.steps):
        if scene.stop.is_set():
            return scene.end_cancelled(index)
        if index:
            snapshot = await scene.evidence.read()
        result = await _perform(scene, index, step, snapshot)
        if result.is_stopped:
            return scene.end_cancelled(index, result.detail)
        if result.state is StepState.FAILED:
            return scene.end(Phase.FAILED, f"{scene.plan.steps[index].meaning}: {result.detail}")
        if result.state is StepState.UNKNOWN:
            return scene.end(Phase.IN_DOUBT, f"whether this was done is unknown: {result.detail}")
    return None


async def _judged(scene: Scene, overrides: Collection[str]) -> tuple[Snapshot, str | None]:
    """The newest evidence, and why it forbids the act."""
    ends_at = scene.clock.monotonic() + PATIENCE_S
    while True:
        snapshot = await scene.evidence.read()
        refusal = _refusal(scene, snapshot, overrides)
        if refusal is None or scene.clock.monotonic() >= ends_at:
            return snapshot, refusal
        await asyncio.sleep(LOOK_AGAIN_S)


def _refusal(scene: Scene, snapshot: Snapshot, overrides: Collection[str]) -> str | None:
    plan, now = scene.plan, scene.clock.now()
    try:
        settings = in_force(scene.settings, snapshot.alerting.value)
        live = scene.action.plan(settings, scene.who, dict(plan.parameters), snapshot, now)
        row = row_for(runbook_for(scene.settings).actions, plan.step or plan.action)
        live = with_second(scene.settings, as_its_row_says(live, row, snapshot, now))
    except CockpitError as error:
        return str(error)
    if live.digest != plan.digest:
        return "what was confirmed is no longer what would be done"
    return why_not_on(live, overrides)


async def _perform(scene: Scene, index: int, step: Step, snapshot: Snapshot) -> Result:
    try:
        before = step.before(scene.stage(snapshot, index))
    except CockpitError as error:
        result = Result(StepState.FAILED, f"not begun: {error}")
        scene.end_step(index, result)
        return result
    scene.facts.update(before)
    stage = scene.stage(snapshot, index)
    scene.begin(index, step.command(stage) or scene.plan.steps[index].command, before)
    started = scene.clock.monotonic()
    try:
        result = await bounded(step.perform(stage), step.deadline_s, scene.plan.steps[index].meaning)
    except CockpitError as error:
        result = Result(state_after(error), str(error))
    except Exception as error:
        result = Result(StepState.UNKNOWN, f"{type(error).__name__}: {error}")
    if result.state is StepState.UNKNOWN:
        result = await settled(scene, index, step, result.detail)
    scene.end_step(index, result, scene.clock.monotonic() - started)
    return result


def state_after(error: CockpitError) -> StepState:
    """Known not to be done only where nothing was sent, or the answer was no; else the platform has to be looked at."""
    is_sent = isinstance(error, BackendError) and error.was_sent
    is_no = isinstance(error, Refused | Unreachable | ConfigError | Rejected)
    return StepState.FAILED if is_no and not is_sent else StepState.UNKNOWN
