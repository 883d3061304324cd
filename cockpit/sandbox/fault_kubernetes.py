"""A rollout of ws-gateway to an image that nobody built."""

from __future__ import annotations

from cockpit.sandbox.served.kube_seed import REGISTRY
from cockpit.sandbox.served.kube_server import KubernetesServer

DEPLOYMENT = "ws-gateway"
MISSING_IMAGE = f"{REGISTRY}/{DEPLOYMENT}:1.5.0-rc.7"


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
