"""The loop that every worker runs: cycle after cycle until told to stop, through any trouble with Redis."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from cockpit.sandbox.worker import WorkerContext
from cockpit.sandbox.workers.redis_line import Command, RedisTrouble, now_ms

MAX_BACK_OFF_S = 0.5


def say(text: str) -> None:
    """Write one line to the worker's log."""
    stamp = time.strftime("%H:%M:%S", time.gmtime())
    sys.stdout.write(f"{stamp} {text}\n")
    sys.stdout.flush()


def run_cycles(context: WorkerContext, cycle: Callable[[], None], recover: Callable[[], None] | None = None) -> None:
    """Call `cycle` while the worker is wanted; after trouble call `recover` (itself retried) before going on."""
    back_off_s = 0.0
    trouble = ""
    has_to_recover = recover is not None
    while context.pump():
        try:
            if has_to_recover and recover is not None:
                recover()
                has_to_recover = False
            cycle()
            if trouble:
                say("redis: usable again")
            back_off_s, trouble = 0.0, ""
        except RedisTrouble as error:
            has_to_recover = recover is not None
            if str(error) != trouble:
                trouble = str(error)
                say(f"redis: {trouble}")
            back_off_s = min(MAX_BACK_OFF_S, back_off_s * 2 or 0.02)
            time.sleep(back_off_s)


class Every:
    """True once a period, without drifting into bursts after a pause."""

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s
        self._due_at = 0.0

    def is_due(self) -> bool:
        """Whether a period has passed since the last time this said yes."""
        now = time.monotonic()
        if now < self._due_at:
            return False
        self._due_at = max(self._due_at + self._period_s, now + self._period_s / 2)
        return True


class Pace:
    """Sleep until the next multiple of a period."""

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s
        self._next_at = time.monotonic()

    def wait(self) -> None:
        """Sleep; after a long stall go on from now instead of catching up."""
        now = time.monotonic()
        self._next_at += self._period_s
        if self._next_at < now - 1.0:
            self._next_at = now
        if self._next_at > now:
            time.sleep(self._next_at - now)


def beat(component: str) -> Command:
    """The command that writes a component's heartbeat."""
    return ("HSET", "engine:hb", component, now_ms())
