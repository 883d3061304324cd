"""A real redis-server of a test's own, to be broken in ways that a shared sandbox would not survive."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import redis

from cockpit.clock import SystemClock
from cockpit.config import Settings
from cockpit.jobs.operator import current_operator
from cockpit.jobs.runner import Runner
from cockpit.model.job import Job
from cockpit.model.snapshot import Snapshot
from cockpit.parts import parsed
from cockpit.sandbox.redis_server import redis_program
from cockpit.storage.disk import is_locked
from cockpit.storage.jobs import JobStore
from tests.patience import PATIENCE_S


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class LoneRedis:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.client: Any = redis.Redis(port=self.port, decode_responses=True, socket_timeout=PATIENCE_S)

    def start(self, *options: str) -> None:
        command = [redis_program("redis-server"), "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--dir", str(self.folder), "--save", "", "--appendonly", "yes", *options]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=self.folder)
        until(self._answers)

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False

    def signal(self, number: int) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def settings(self, timeout_s: float = 2.0) -> Settings:
        return parsed(
            Settings,
            {
                "site": "test-1",
                "world": "SANDBOX",
                "root": str(self.folder),
                "redis": {"url": f"redis://127.0.0.1:{self.port}/0", "timeout_s": timeout_s},
                "venues": [{"name": "IBKR"}],
            },
        )


@contextlib.contextmanager
def lone_redis(folder: Path, *options: str) -> Iterator[LoneRedis]:
    server = LoneRedis(folder)
    try:
        server.start(*options)
        yield server
    finally:
        with contextlib.suppress(ProcessLookupError, AssertionError):
            server.signal(signal.SIGCONT)
        server.kill()


def a_runner(settings: Settings, state: Path, **parts: Any) -> Runner:
    return Runner(settings, SystemClock(), current_operator(), state, **parts)


def a_snapshot(settings: Settings) -> Snapshot:
    """Nothing known yet: a halt must be possible all the same."""
    return Snapshot(0, time.time(), settings.world, settings.site)


def until(read: Callable[[], Any], within_s: float = PATIENCE_S) -> Any:
    deadline = time.monotonic() + within_s
    while not (value := read()):
        assert time.monotonic() < deadline, f"not within {within_s} s: {value!r}"
        time.sleep(0.01)
    return value


def end_workers(state: Path) -> None:
    """No worker outlives its test."""
    store = JobStore(state / "jobs")
    for job in store.jobs():
        lock = store.folder(job.id) / "lock"
        if is_locked(lock):
            for process in Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError):
                    if (process / "fd" / "0").readlink() == lock:
                        os.kill(int(process.name), signal.SIGKILL)


def ended(runner: Runner, job: Job, within_s: float = PATIENCE_S) -> Job:
    def over() -> Job | None:
        found = runner.job(job.id)
        # In doubt is left again when a worker looks after it: only what the journal says last is an end.
        return found if found is not None and found.phase.is_over else None

    found = until(over, within_s)
    assert isinstance(found, Job)
    return found
