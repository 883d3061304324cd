"""Faults of ws-gateway's deployment: its pods crash, or a rollout brings an image that nobody built."""

from __future__ import annotations

from dataclasses import replace

from cockpit.sandbox.fault_knobs import Board, KnobBreakage
from cockpit.sandbox.served.kube_seed import REGISTRY
from cockpit.sandbox.served.kube_server import KubernetesServer

DEPLOYMENT = "ws-gateway"
MISSING_IMAGE = f"{REGISTRY}/{DEPLOYMENT}:1.5.0-rc.7"


class CrashLoop(KnobBreakage):
    """Its pods end with status 1 soon after they start."""

    def __init__(self, board: Board, kubernetes: KubernetesServer) -> None:
        super().__init__(
            board,
            lambda knobs: replace(knobs, is_gateway_crashing=True),
            lambda knobs: replace(knobs, is_gateway_crashing=False),
            lambda knobs: knobs.is_gateway_crashing,
        )
        self._kubernetes = kubernetes

    async def mend(self) -> None:
        """Let them live, at once rather than after their back-off."""
        await super().mend()
        self._kubernetes.forgive()


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
