"""Stops processes so that they hold their sockets and never answer, and lets them go on, whatever happens to us."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Iterable
from pathlib import Path
from signal import SIGCONT, SIGSTOP, Signals

from cockpit.sandbox.forkpool import Child, ForkPool


def family(pid: int) -> list[int]:
    """The process and its children, the process first (a stopped parent makes no more of them)."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return []
    return [pid, *map(int, children)]


def is_stopped(pid: int) -> bool:
    """Whether the process is stopped by a signal."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "T"
    except (OSError, IndexError):
        return False


def send_all(pids: Iterable[int], signal: Signals) -> None:
    """Send the signal to those that are still there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal)


STILL_TRIES = 400


class Freeze:
    """Processes that are stopped, with a warden that ends them should the supervisor be killed meanwhile."""

    def __init__(self, pool: ForkPool) -> None:
        self._pool = pool
        self._warden: Child | None = None
        self._pids: list[int] = []

    async def begin(self, pid: int) -> None:
        """Stop a process and its children; returns once they stand still, which the signal alone does not mean."""
        os.kill(pid, SIGSTOP)
        self._pids = family(pid)
        send_all(self._pids[1:], SIGSTOP)
        # A stopped process does not act on its parent's death; one that nobody continues would stay for ever.
        options = {"pids": " ".join(map(str, self._pids))}
        self._warden = self._pool.start("warden", "cockpit.sandbox.warden", options, is_tied=False)
        for _ in range(STILL_TRIES):
            if all(is_stopped(each) for each in family(pid)):
                return
            await asyncio.sleep(0.005)

    def end(self) -> None:
        """Let them go on."""
        if self._warden is not None:
            self._warden.terminate()
            self._warden = None
        send_all(self._pids, SIGCONT)
        self._pids = []
