"""The warden of stopped processes: ends them should the supervisor vanish, because they cannot see it themselves."""

from __future__ import annotations

import time
from signal import SIGCONT, SIGKILL

from cockpit.sandbox.signals import is_stopped, send_all
from cockpit.sandbox.worker import WorkerContext

LOOK_EVERY_S = 0.25
LAST_WORDS_S = 0.3


def run(context: WorkerContext) -> None:
    """Wait until they are continued or ended; when the line breaks before that, end them."""
    first, *others = [int(pid) for pid in context.options["pids"].split()]
    while any(is_stopped(pid) for pid in (first, *others)):
        try:
            if context.control.poll(LOOK_EVERY_S) and context.control.recv() is None:
                return
        except (EOFError, OSError):
            break
    else:
        return
    send_all([pid for pid in others if is_stopped(pid)], SIGKILL)
    send_all([first], SIGCONT)
    time.sleep(LAST_WORDS_S)  # a server acts on the signals it missed and takes its shared memory along
    send_all([first], SIGKILL)
