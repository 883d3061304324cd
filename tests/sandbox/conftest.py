"""One private sandbox for the whole test session (each xdist worker has its own)."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest
import redis

from cockpit.config import load
from cockpit.sandbox import launcher
from cockpit.sandbox.layout import Layout
from cockpit.session import state_folder
from tests.patience import PATIENCE_S

KEY = "policy:kill_switch"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Control:
    """Commands to the session's sandbox."""

    layout: Layout

    def status(self) -> dict[str, Any]:
        return launcher.status(self.layout)

    def inject(self, fault: str) -> dict[str, Any]:
        return launcher.inject(self.layout, fault)

    def clear(self, fault: str | None = None) -> dict[str, Any]:
        return launcher.clear(self.layout, fault)


@pytest.fixture(scope="session")
def sandbox() -> Iterator[tuple[Layout, Control]]:
    """A trading sandbox; whoever breaks something clears it."""
    running = launcher.launch_private()
    try:
        yield running.layout, Control(running.layout)
    finally:
        running.close()


@pytest.fixture(autouse=True)
def trading(request: pytest.FixtureRequest) -> None:
    """No test begins on a halt that another has left, or on a book that its backlog carried over the limits."""
    if "sandbox" not in request.fixturenames:
        return
    layout, control = request.getfixturevalue("sandbox")
    with contextlib.closing(redis.Redis(port=layout.ports.redis, decode_responses=True, socket_timeout=2.0)) as client:
        try:
            if client.hget(KEY, "enabled") != "true":
                return
        except redis.RedisError:
            pass
        control.clear()
        (state_folder(load(layout.config)) / "latch.json").unlink(missing_ok=True)
        line = [sys.executable, "backend/ops/hedger.py", "--flatten-all"]
        around = launcher.environment(layout)
        subprocess.run(line, cwd=layout.root, env=around, capture_output=True, timeout=60, check=False)
        client.hset(KEY, mapping={"enabled": "false", "by": "test", "reason": "", "ts": str(round(time.time() * 1000))})


def wait_until(read: Callable[[], T], within_s: float = PATIENCE_S) -> T:
    """The first true value that `read` returns; fails when there is none in time."""
    deadline = time.monotonic() + within_s
    while not (value := read()):
        assert time.monotonic() < deadline, f"not within {within_s} s: {value!r}"
        time.sleep(0.02)
    return value
