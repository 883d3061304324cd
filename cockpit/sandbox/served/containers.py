"""What the Docker Engine API asks of whoever runs the containers' processes."""

from __future__ import annotations

from datetime import datetime
from signal import SIGTERM, Signals
from typing import Protocol


class ContainerRuntime(Protocol):
    """One container: a real process that can be stopped and started again under one name."""

    @property
    def name(self) -> str:
        """The container's name, without a slash: redis."""

    @property
    def image(self) -> str:
        """The image's name: redis:6.2.14."""

    @property
    def command(self) -> tuple[str, ...]:
        """The process' command line."""

    @property
    def pid(self) -> int:
        """The process id, 0 while it is not running."""

    @property
    def created_at(self) -> datetime:
        """When the container was made (aware, UTC)."""

    @property
    def started_at(self) -> datetime | None:
        """When the process was last started, None before the first start (aware, UTC)."""

    @property
    def finished_at(self) -> datetime | None:
        """When the process last ended, None when it never has (aware, UTC)."""

    @property
    def exit_code(self) -> int:
        """The last exit code as Docker counts it: 0 while running, 128 + signal when a signal ended it."""

    @property
    def is_running(self) -> bool:
        """Whether the process is alive."""

    async def start(self) -> None:
        """Start the process; return once it exists, not once it answers. No-op while running."""

    async def stop(self, timeout_s: float, signal: Signals = SIGTERM) -> None:
        """Send the signal, then SIGKILL after the time-out; return once it has ended. No-op when stopped."""

    async def kill(self, signal: Signals) -> None:
        """Send the signal and return at once."""

    async def wait(self) -> int:
        """Return the exit code once the process is not running."""

    def log_lines(self, count: int) -> list[str]:
        """Return the last lines of output, oldest first."""
