"""What the Kubernetes controller asks of whoever runs the pods' processes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class PodProcess(Protocol):
    """One running container of one pod: a real child process.

    All of it is read on the event loop, so nothing here may block; `terminate` and `kill` return at once
    and are no-ops once the process is gone.
    """

    @property
    def pid(self) -> int:
        """The operating system's process id."""

    @property
    def is_alive(self) -> bool:
        """False once the process has exited."""

    @property
    def exit_code(self) -> int | None:
        """None while alive; negative is the signal that ended it."""

    @property
    def is_ready(self) -> bool:
        """What a readiness probe would say (the controller asks it from the process' first half second on)."""

    async def wait(self) -> int:
        """Return the exit code once the process has ended; may be awaited by several callers."""

    def terminate(self) -> None:
        """Ask the process to stop."""

    def kill(self) -> None:
        """End the process now."""

    def log_lines(self, count: int) -> list[str]:
        """Return the last lines of output of this process, oldest first."""


class PodRuntime(Protocol):
    """Starts pods' processes; the sandbox implements it over its fork pool."""

    def start(self, pod_name: str, deployment: str, env: Mapping[str, str]) -> PodProcess:
        """Start the worker behind one pod and return at once; OSError when it cannot be started."""
