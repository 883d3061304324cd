"""One private sandbox for the whole test session (each xdist worker has its own)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

from cockpit.sandbox import launcher
from cockpit.sandbox.layout import Layout

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


def wait_until(read: Callable[[], T], within_s: float = 5.0) -> T:
    """The first true value that `read` returns; fails when there is none in time."""
    deadline = time.monotonic() + within_s
    while not (value := read()):
        assert time.monotonic() < deadline, f"not within {within_s} s: {value!r}"
        time.sleep(0.02)
    return value
