"""Runs pods as forked workers, for the Kubernetes controller."""

from __future__ import annotations

from collections.abc import Mapping

from cockpit.sandbox.forkpool import Child, ForkPool

MODULES = {
    "ws-gateway": "cockpit.sandbox.workers.gateway",
    "router": "cockpit.sandbox.workers.router",
    "api": "cockpit.sandbox.workers.api",
}
"""Deployment -> the worker behind each of its pods."""


class ForkedPod:
    """One pod's process."""

    def __init__(self, child: Child) -> None:
        self._child = child

    @property
    def pid(self) -> int:
        """The operating system's process id."""
        return self._child.pid

    @property
    def is_alive(self) -> bool:
        """False once the process has exited."""
        return self._child.is_alive

    @property
    def exit_code(self) -> int | None:
        """None while alive; negative is the signal that ended it."""
        return self._child.exit_code

    @property
    def is_ready(self) -> bool:
        """A pod that runs serves: it has nothing to load first."""
        return self._child.is_alive

    async def wait(self) -> int:
        """Return the exit code once the process has ended."""
        return await self._child.wait()

    def terminate(self) -> None:
        """Ask the process to stop."""
        self._child.terminate()

    def kill(self) -> None:
        """End the process now."""
        self._child.kill()

    def log_lines(self, count: int) -> list[str]:
        """The last lines of output of this process, oldest first."""
        return self._child.log_lines(count)


class ForkedPods:
    """Implements PodRuntime over the fork pool."""

    def __init__(self, pool: ForkPool) -> None:
        self._pool = pool

    def start(self, pod_name: str, deployment: str, env: Mapping[str, str]) -> ForkedPod:
        """Start the worker behind one pod.

        Raises:
            OSError: it cannot be started, or no worker is known for the deployment.
        """
        module = MODULES.get(deployment)
        if module is None:
            raise OSError(f"no image for deployment {deployment}")
        return ForkedPod(self._pool.start(pod_name, module, {"deployment": deployment, **env}))
