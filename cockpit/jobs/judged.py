"""Proofs judged on the worker's own look at the platform, each with the seconds after the act at which it held."""

from __future__ import annotations

from dataclasses import replace

from cockpit.jobs.scene import Scene
from cockpit.model.job import JobStep, StepState

SURE = 2
"""A proof that failed in so many looks in a row has failed for good."""


class SnapshotProver:
    """Looks as often as it is asked to."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._held_at: dict[str, float] = {}
        self._failed = 0
        self.gave_up = False

    async def look(self) -> tuple[tuple[StepState, str], tuple[JobStep, ...]]:
        """The act, which is known here, and each proof as it stands now."""
        scene = self._scene
        snapshot = await scene.evidence.read()
        judged = scene.action.judge(scene.stage(snapshot))
        steps = tuple(self._timed(step) for step in (judged if isinstance(judged, tuple) else await judged))
        self._failed = self._failed + 1 if any(step.state is StepState.FAILED for step in steps) else 0
        self.gave_up = self._failed >= SURE
        return (StepState.DONE, ""), steps

    async def close(self) -> None:
        """Close every connection."""
        await self._scene.evidence.close()

    def _timed(self, step: JobStep) -> JobStep:
        if step.state is not StepState.DONE:
            self._held_at.pop(step.name, None)
            return replace(step, took_s=None)
        now = self._scene.clock.now()
        acted_at = float(self._scene.facts.get("acted_at", now))
        return replace(step, took_s=round(self._held_at.setdefault(step.name, max(0.0, now - acted_at)), 3))
