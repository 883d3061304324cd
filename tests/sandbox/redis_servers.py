"""Real Redis servers of every version at hand: the sandbox's own, and those that $COCKPIT_TEST_REDIS names."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import redis

from cockpit.config import Settings
from cockpit.parts import parsed
from cockpit.sandbox.redis_server import redis_program
from tests.patience import PATIENCE_S

T = TypeVar("T")
PROGRAMS = (redis_program("redis-server"), *filter(None, os.environ.get("COCKPIT_TEST_REDIS", "").split(os.pathsep)))


class Server:
    """One server on one folder, started and broken as a test wants."""

    def __init__(self, program: str, folder: Path) -> None:
        self.program = program
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.client: Any = redis.Redis(
            port=self.port, protocol=2, driver_info=None, decode_responses=True, socket_timeout=PATIENCE_S
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def version(self) -> tuple[int, ...]:
        return tuple(int(part) for part in self.client.info("server")["redis_version"].split("."))

    def start(self, *options: str, is_waited: bool = True) -> None:
        command = [self.program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), *options]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=self.folder)
        if is_waited:
            until(self._is_up)

    def _is_up(self) -> bool:
        with contextlib.suppress(redis.RedisError):
            return bool(self.client.ping())
        return False

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def add(self, stream: str, payload: Any, **options: Any) -> str:
        text = payload if isinstance(payload, str) else json.dumps(payload)
        return str(self.client.xadd(stream, {"json": text}, **options))

    def settings(self, user: str = "", timeout_s: float = 2.0, **redis_part: Any) -> Settings:
        url = f"redis://{user}127.0.0.1:{self.port}/0"
        return parsed(
            Settings,
            {
                "site": "test-1",
                "root": str(self.folder),
                "redis": {"url": url, "timeout_s": timeout_s, **redis_part},
                "venues": [{"name": "IBKR"}],
            },
        )


@contextlib.contextmanager
def serving(program: str, folder: Path, *options: str) -> Iterator[Server]:
    server = Server(program, folder)
    try:
        server.start(*(options or ("--save", "", "--appendonly", "no")))
        yield server
    finally:
        server.client.close()
        server.kill()


def until(read: Callable[[], T], within_s: float = PATIENCE_S) -> T:
    """The first true value that `read` returns."""
    deadline = time.monotonic() + within_s
    while not (value := read()):
        assert time.monotonic() < deadline, f"not within {within_s} s: {value!r}"
        time.sleep(0.01)
    return value
