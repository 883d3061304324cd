"""Time, injected: nothing else in the product asks the machine what time it is."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Wall time for what is written down, monotonic time for what is measured."""

    def now(self) -> float:
        """Unix seconds."""

    def monotonic(self) -> float:
        """Seconds that never go back."""


STEP_S = 0.2
"""By less than this nobody sets a clock; two readings of it may be so far apart on a busy machine."""


def _steady() -> float:
    """Seconds that go on while the machine sleeps, and that nobody can set."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class SystemClock:
    """The machine's own clocks.

    All of a process show the same time, which runs on steadily when somebody sets the wall clock: else old data would
    look new, or new data old. Whoever has moved what was dated before takes the step for all.
    """

    _ahead_s = time.time() - _steady()

    def now(self) -> float:
        """Unix seconds."""
        return _steady() + SystemClock._ahead_s

    def take_step(self) -> float:
        """By how much the wall clock was set since the last call; from now on now() follows it."""
        ahead_s = time.time() - _steady()
        step_s = ahead_s - SystemClock._ahead_s
        if abs(step_s) < STEP_S:
            return 0.0
        SystemClock._ahead_s = ahead_s
        return step_s

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()
