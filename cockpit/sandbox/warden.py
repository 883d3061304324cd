"""The warden of stopped processes: ends them should the supervisor vanish, because they cannot see it themselves."""

from __future__ import annotations

import contextlib
import os
import time
from signal import SIGCONT, SIGKILL, Signals

from cockpit.sandbox.worker import WorkerContext

LOOK_EVERY_S = 0.25
LAST_WORDS_S = 0.3


def run(context: WorkerContext) -> None:
    """Wait for a word; when the line breaks without one, end the processes."""
    first, *others = [int(pid) for pid in context.options["pids"].split()]
    while True:
        try:
            if context.control.poll(LOOK_EVERY_S) and context.control.recv() is None:
                return
        except (EOFError, OSError):
            break
    for pid in others:
        _send(pid, SIGKILL)
    _send(first, SIGCONT)
    time.sleep(LAST_WORDS_S)  # a server acts on the signals it missed and takes its shared memory along
    _send(first, SIGKILL)


def _send(pid: int, signal: Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal)
