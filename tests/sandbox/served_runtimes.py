"""Small runtimes over real child processes, and how the tests of the served APIs run real programs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from tests.patience import PATIENCE_S

SLEEPER = "import time,sys; print('up', flush=True); time.sleep(600)"
CRASHER = "import time,sys; print('boom', flush=True); time.sleep(0.1); sys.exit(1)"
DEAF = "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"


class Box:
    """A gate that a test can turn."""

    def __init__(self) -> None:
        self.value = "open"

    def __call__(self) -> str:
        return self.value


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


async def eventually(check: Callable[[], object], within_s: float = PATIENCE_S) -> object:
    """Return the check's first true value, or fail when the deadline passes."""
    deadline = time.monotonic() + within_s
    while True:
        value = check()
        if isinstance(value, Awaitable):
            value = await value
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {within_s} s: {check}"
        await asyncio.sleep(0.02)


async def run(
    *command: str, env: Mapping[str, str] | None = None, within_s: float = PATIENCE_S
) -> tuple[int, str, str]:
    """Run a program to its end: exit code, output, errors."""
    child = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env={**os.environ, **(env or {})}
    )
    try:
        out, err = await asyncio.wait_for(child.communicate(), within_s)
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    return child.returncode or 0, out.decode(), err.decode()


class Sleeper:
    """A container or pod process: python asleep."""

    def __init__(self, code: str = SLEEPER) -> None:
        self._said = ""
        self.child = subprocess.Popen([sys.executable, "-S", "-c", code], stdout=subprocess.PIPE, text=True)
        self._exited = asyncio.ensure_future(self._reap())
        self.is_ready = True

    async def _reap(self) -> int:
        while self.child.poll() is None:
            await asyncio.sleep(0.02)
        return self.child.returncode

    @property
    def pid(self) -> int:
        return self.child.pid

    @property
    def is_alive(self) -> bool:
        return self.child.poll() is None

    @property
    def exit_code(self) -> int | None:
        return self.child.poll()

    async def wait(self) -> int:
        return await asyncio.shield(self._exited)

    def terminate(self) -> None:
        if self.is_alive:
            self.child.terminate()

    def kill(self) -> None:
        if self.is_alive:
            self.child.kill()

    def log_lines(self, count: int) -> list[str]:
        """The whole lines: what is read now may end, or begin, in the midst of one."""
        assert self.child.stdout is not None
        os.set_blocking(self.child.stdout.fileno(), False)
        with contextlib.suppress(OSError, TypeError):
            self._said += self.child.stdout.read()
        return self._said.rpartition("\n")[0].splitlines()[-count:]


class SleeperPods:
    """A PodRuntime whose pods sleep; `code` decides what the next ones run."""

    def __init__(self) -> None:
        self.started: list[tuple[str, str, dict[str, str], Sleeper]] = []
        self.code = SLEEPER

    def start(self, pod_name: str, deployment: str, env: Mapping[str, str]) -> Sleeper:
        process = Sleeper(self.code)
        self.started.append((pod_name, deployment, dict(env), process))
        return process

    def alive(self) -> list[str]:
        return [name for name, _, _, process in self.started if process.is_alive]

    def kill_all(self) -> None:
        for *_, process in self.started:
            process.kill()
            process.child.wait()


class SleeperContainer:
    """A ContainerRuntime over one sleeping python."""

    name = "redis"
    image = "redis:6.2.14"
    command = ("redis-server", "/etc/redis.conf")

    def __init__(self) -> None:
        self.created_at = datetime.now(UTC)
        self.started_at: datetime | None = None
        self.finished_at: datetime | None = None
        self.process: Sleeper | None = None

    @property
    def pid(self) -> int:
        return self.process.pid if self.process is not None and self.is_running else 0

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.is_alive

    @property
    def exit_code(self) -> int:
        code = (self.process.exit_code if self.process is not None else 0) or 0
        return 128 - code if code < 0 else code

    async def start(self) -> None:
        if not self.is_running:
            self.process = Sleeper()
            self.started_at = datetime.now(UTC)
            process = self.process
            await eventually(lambda: process.log_lines(1))

    async def stop(self, timeout_s: float, signal: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.child.send_signal(signal)
            try:
                await asyncio.wait_for(self.process.wait(), timeout_s)
            except TimeoutError:
                self.process.kill()
                await self.process.wait()
            self.finished_at = datetime.now(UTC)

    async def kill(self, signal: signal.Signals) -> None:
        assert self.process is not None
        self.process.child.send_signal(signal)
        self.finished_at = datetime.now(UTC)

    async def wait(self) -> int:
        if self.process is not None:
            await self.process.wait()
        return self.exit_code

    def log_lines(self, count: int) -> list[str]:
        return self.process.log_lines(count) if self.process is not None else []


@contextlib.asynccontextmanager
async def serving(server: object) -> AsyncIterator[object]:
    """Start a server, and see that it stops whatever happened."""
    await server.start()  # type: ignore[attr-defined]
    try:
        yield server
    finally:
        await asyncio.wait_for(server.stop(), PATIENCE_S)  # type: ignore[attr-defined]


def beside(path: Path, name: str) -> Path:
    """Return a short path for a unix socket (107 bytes at most), unique to the test's folder."""
    return Path("/tmp") / f"{name}-{os.getpid()}-{abs(hash(path)) % 10**8}"
