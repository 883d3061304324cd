"""Finds out by looking what became of a step that nobody wrote the end of; does nothing again but what makes safe."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from actions.step import Result, Step
from cockpit.clients.bounded import bounded
from cockpit.errors import CockpitError, Rejected
from cockpit.jobs.scene import Scene
from cockpit.model.danger import Danger
from cockpit.model.job import Job, Phase, StepState
from cockpit.storage.targets import Holder, Targets

LOOK_S = 0.5
LONGEST_LOOK_S = 20.0
LOOKED_AFTER = "by whoever looked after the job: its worker had ended"
DIED = "its worker ended before it could write what came of it"
OPEN = (StepState.RUNNING, StepState.UNKNOWN)


async def resolve(scene: Scene, job: Job) -> Phase | None:
    """How the job that was left behind ended; None where every step is done and the proof is to come."""
    steps = scene.steps
    for index, (step, known) in enumerate(zip(steps, job.steps, strict=True)):
        if known.state is StepState.DONE:
            continue
        if known.state is StepState.FAILED:
            return scene.end(Phase.FAILED, f"{known.name}: {known.detail}")
        if known.state is StepState.WAITING and not (index and (step.is_look or step.is_protective)):
            return scene.end(Phase.FAILED, _stopped(job, index))
        if index and step.is_protective:
            found = await _made_safe(scene, index, step)
        else:
            found = await settled(scene, index, step, DIED)
        scene.end_step(index, found)
        if found.state is StepState.FAILED:
            return scene.end(Phase.FAILED, f"not done: {found.detail}")
        if found.state is StepState.UNKNOWN:
            return scene.end(Phase.IN_DOUBT, f"whether this was done is unknown: {found.detail}")
    return None


async def program_ended(scene: Scene, targets: Targets, job: Job) -> bool:
    """Wait for what a dead worker has started: as long as that runs, it holds the job's locks, and nothing is settled.

    Its locks are ours afterwards, unless somebody else has taken them meanwhile.
    """
    if scene.plan.danger is Danger.OBSERVE:
        return True
    open_s = sum(step.deadline_s for step, known in zip(scene.steps, job.steps, strict=True) if known.state in OPEN)
    ends_at = scene.clock.monotonic() + open_s
    while True:
        try:
            scene.locks = targets.take_all(scene.plan.held, Holder(job.id, job.by, job.title))
        except Rejected:
            holders = [targets.holder(name) for name in scene.plan.held]
            if all(holder is None or holder.job != job.id for holder in holders):
                return True
        else:
            return True
        if scene.clock.monotonic() >= ends_at:
            return False
        await asyncio.sleep(LOOK_S)


async def _look(scene: Scene, index: int, step: Step) -> Result:
    stage = scene.stage(await scene.evidence.read(), index)
    try:
        return await bounded(step.look(stage), step.deadline_s, "the platform")
    except CockpitError as error:
        return Result(StepState.UNKNOWN, str(error))


async def _made_safe(scene: Scene, index: int, step: Step) -> Result:
    """What the dead worker would have done next: trading must not go on unhalted because a process ended."""
    stage = scene.stage(await scene.evidence.read(), index)
    scene.begin(index, step.command(stage) or scene.plan.steps[index].command, {})
    try:
        found = await bounded(step.perform(stage), step.deadline_s, scene.plan.steps[index].meaning)
    except CockpitError as error:
        return Result(StepState.UNKNOWN, str(error))
    return replace(found, detail=f"{found.detail} ({LOOKED_AFTER})")


async def settled(scene: Scene, index: int, step: Step, why: str) -> Result:
    """What the platform shows of the step; that it is not there counts only once it had time to take effect."""
    started = scene.clock.monotonic()
    while True:
        found = await _look(scene, index, step)
        passed_s = scene.clock.monotonic() - started
        if found.state is StepState.DONE:
            return replace(found, detail=f"found done: {found.detail} ({why})")
        if found.state is StepState.FAILED and passed_s >= step.settle_s:
            return replace(found, detail=f"{found.detail} ({why})")
        if passed_s >= max(step.settle_s, LONGEST_LOOK_S):
            return Result(StepState.UNKNOWN, f"{why}; {found.detail}")
        await asyncio.sleep(LOOK_S)


def _stopped(job: Job, index: int) -> str:
    """What was left undone, in words."""
    left = ", ".join(step.name for step in job.steps[index:])
    if index == 0:
        return "nothing was done: it was left behind before it began"
    return f"stopped after {index} of {len(job.steps)} steps; not done: {left}"
