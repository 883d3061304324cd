"""A cockpit that engages the kill switch and kills itself at the Nth time that something goes to the disk."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cockpit.config import load
from cockpit.jobs import runner as runner_module
from cockpit.model.plan import Confirmation
from cockpit.storage.audit import AuditLog
from cockpit.storage.jobs import JobStore
from tests.sandbox.lone_redis import a_runner, a_snapshot


class Fate:
    """Counts, and strikes before or after the Nth write."""

    def __init__(self, turn: int, is_before: bool) -> None:
        self._turn = turn
        self._is_before = is_before

    def around(self, write: Callable[[], Any]) -> Any:
        self._turn -= 1
        is_now = self._turn == 0
        if is_now and self._is_before:
            os.kill(os.getpid(), signal.SIGKILL)
        result = write()
        if is_now:
            os.kill(os.getpid(), signal.SIGKILL)
        return result


class DoomedStore(JobStore):
    def __init__(self, folder: Path, fate: Fate) -> None:
        super().__init__(folder)
        self._fate = fate

    def create(self, *arguments: Any) -> Any:
        return self._fate.around(lambda: super(DoomedStore, self).create(*arguments))

    def append(self, *arguments: Any) -> None:
        self._fate.around(lambda: super(DoomedStore, self).append(*arguments))

    def write(self, *arguments: Any) -> None:
        self._fate.around(lambda: super(DoomedStore, self).write(*arguments))


class DoomedLog(AuditLog):
    def __init__(self, folder: Path, fate: Fate) -> None:
        super().__init__(folder)
        self._fate = fate

    def append(self, *arguments: Any) -> Any:
        return self._fate.around(lambda: super(DoomedLog, self).append(*arguments))


def main(config: str, state: str, turn: str, moment: str) -> None:
    # A halt does not wait long for a slow disk; here the disk is what is tested, so it does.
    runner_module.PROTECT_WAIT_S = 10.0
    settings = load(Path(config))
    fate = Fate(int(turn), moment == "before")
    log, store = DoomedLog(Path(state), fate), DoomedStore(Path(state) / "jobs", fate)
    runner = a_runner(settings, Path(state), log=log, store=store)
    shown = a_snapshot(settings)
    plan = runner.prepare("kill_switch.engage", {"reason": "victim"}, shown)
    print("ready", flush=True)
    sys.stdin.readline()
    runner.submit(plan, Confirmation(plan.digest), shown)
    print("submitted", flush=True)
    threading.Event().wait(3600)


if __name__ == "__main__":
    main(*sys.argv[1:])
