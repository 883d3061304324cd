"""Faults of deployments: pods crash, or a rollout brings an image that nobody built."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cockpit.sandbox.fault_knobs import Board, KnobBreakage
from cockpit.sandbox.served.kube_seed import REGISTRY
from cockpit.sandbox.served.kube_server import KubernetesServer

DEPLOYMENT = "ws-gateway"
MISSING_IMAGE = f"{REGISTRY}/{DEPLOYMENT}:1.5.0-rc.7"


class CrashLoop(KnobBreakage):
    """A deployment's pods end with status 1 soon after they start."""

    def __init__(self, board: Board, kubernetes: KubernetesServer, knob: str) -> None:
        on: dict[str, Any] = {knob: True}
        off: dict[str, Any] = {knob: False}
        super().__init__(
            board,
            lambda knobs: replace(knobs, **on),
            lambda knobs: replace(knobs, **off),
            lambda knobs: bool(getattr(knobs, knob)),
        )
        self._kubernetes = kubernetes

    async def mend(self) -> None:
        """Let them live, at once rather than after their back-off."""
        await super().mend()
        self._kubernetes.forgive()


class PodCrash:
    """One pod ends again and again; the others carry the load."""

    def __init__(self, board: Board, kubernetes: KubernetesServer) -> None:
        self._board = board
        self._kubernetes = kubernetes

    async def apply(self) -> None:
        """Choose one that runs now."""
        self._board.turn(replace(self._board.knobs, crashing_pod=min(self._kubernetes.pods(DEPLOYMENT), default="")))

    async def mend(self) -> None:
        """Let it live, at once rather than after its back-off."""
        self._board.turn(replace(self._board.knobs, crashing_pod=""))
        self._kubernetes.forgive()

    async def is_broken(self) -> bool:
        """Whether that pod is still one of the deployment's: a rollout replaces it."""
        return self._board.knobs.crashing_pod in self._kubernetes.pods(DEPLOYMENT)


class BadRollout:
    """The new pods never start; the old ones go on. `kubectl rollout undo` mends it."""

    def __init__(self, kubernetes: KubernetesServer) -> None:
        self._kubernetes = kubernetes

    async def apply(self) -> None:
        """Do what a hurried release does: `kubectl set image`."""
        self._kubernetes.set_image(DEPLOYMENT, MISSING_IMAGE)

    async def mend(self) -> None:
        """Undo the rollout, unless somebody has."""
        if await self.is_broken():
            self._kubernetes.undo(DEPLOYMENT)

    async def is_broken(self) -> bool:
        """Whether the deployment still asks for that image."""
        return self._kubernetes.image(DEPLOYMENT) == MISSING_IMAGE
