"""A real server process seen as a container: what Docker's API shows and does, for every server alike."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from pathlib import Path
from signal import SIGTERM, Signals

from cockpit.sandbox.processes import ServerProcess, last_lines


class ServerContainer(ABC):
    """Implements the ContainerRuntime that the Docker Engine API serves."""

    def __init__(self, name: str, log: Path) -> None:
        self._name = name
        self._created_at = datetime.now(UTC)
        self._started_at: datetime | None = None
        self._finished_at: datetime | None = None
        self._watch: asyncio.Task[None] | None = None
        self.log = log
        self.process: ServerProcess | None = None

    @property
    def name(self) -> str:
        """The container's name."""
        return self._name

    @property
    @abstractmethod
    def image(self) -> str:
        """Named as the public image of this version would be."""

    @property
    @abstractmethod
    def command(self) -> tuple[str, ...]:
        """The process' command line."""

    @abstractmethod
    def spawned(self) -> ServerProcess:
        """A newly started process of it."""

    @property
    def pid(self) -> int:
        """The process id, 0 while it is not running."""
        return self.process.pid if self.process is not None and self.process.is_alive else 0

    @property
    def created_at(self) -> datetime:
        """When the container was made."""
        return self._created_at

    @property
    def started_at(self) -> datetime | None:
        """When the process was last started."""
        return self._started_at

    @property
    def finished_at(self) -> datetime | None:
        """When the process last ended."""
        return self._finished_at

    @property
    def is_running(self) -> bool:
        """Whether the process is alive."""
        return self.pid != 0

    @property
    def exit_code(self) -> int:
        """As Docker counts it: 128 + signal when a signal ended it, 0 while running."""
        code = None if self.process is None else self.process.exit_code
        if code is None:
            return 0
        return 128 - code if code < 0 else code

    async def start(self) -> None:
        """Start the process; returns once it exists."""
        if self.is_running:
            return
        self.process = self.spawned()
        self._started_at = datetime.now(UTC)
        self._watch = asyncio.create_task(self._note_end(self.process), name=f"{self._name}'s end")

    async def _note_end(self, process: ServerProcess) -> None:
        await process.wait()
        self._finished_at = datetime.now(UTC)

    async def stop(self, timeout_s: float, signal: Signals = SIGTERM) -> None:
        """Send the signal, then SIGKILL after the time-out; returns once it has ended."""
        if self.process is not None:
            await self.process.stop(signal, timeout_s)

    async def kill(self, signal: Signals) -> None:
        """Send the signal and return at once."""
        if self.process is not None:
            self.process.send(signal)

    async def wait(self) -> int:
        """Return the exit code once the process is not running."""
        if self.process is not None:
            await self.process.wait()
        return self.exit_code

    def log_lines(self, count: int) -> list[str]:
        """The last lines of output, oldest first."""
        return last_lines(self.log, count)
