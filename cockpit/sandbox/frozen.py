"""Stops processes so that they hold their sockets and never answer, and lets them go on, whatever happens to us."""

from __future__ import annotations

import asyncio
from signal import SIGCONT, SIGSTOP

from cockpit.sandbox.forkpool import Child, ForkPool
from cockpit.sandbox.signals import family, is_stopped, send_all

STILL_TRIES = 400
STILL_EVERY_S = 0.005


class Freeze:
    """Processes that are stopped, with a warden that ends them should the supervisor be killed meanwhile."""

    def __init__(self, pool: ForkPool) -> None:
        self._pool = pool
        self._warden: Child | None = None
        self._pids: list[int] = []

    async def begin(self, pid: int) -> None:
        """Stop a process and its children; returns once they stand still, which the signal alone does not mean."""
        send_all([pid], SIGSTOP)
        self._pids = family(pid)
        send_all(self._pids[1:], SIGSTOP)
        for _ in range(STILL_TRIES):
            if all(is_stopped(each) for each in self._pids):
                break
            await asyncio.sleep(STILL_EVERY_S)
        # A stopped process does not act on its parent's death; one that nobody continues would stay for ever.
        options = {"pids": " ".join(map(str, self._pids))}
        self._warden = self._pool.start("warden", "cockpit.sandbox.warden", options, is_tied=False)

    def end(self) -> None:
        """Let them go on, those that nobody else has continued or ended (and whose number may be another's by now)."""
        if self._warden is not None:
            self._warden.terminate()
            self._warden = None
        send_all([pid for pid in self._pids if is_stopped(pid)], SIGCONT)
        self._pids = []
