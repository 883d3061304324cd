"""How the one interpreter is shared: what watches must not keep it from the keys for longer than nobody notices."""

from __future__ import annotations

import contextlib
import gc
import sys

SWITCH_S = 0.001
"""How long a probe that computes keeps the interpreter from the screen's thread: a fifth of Python's usual."""
COLLECTED_EVERY = (2_000, 5, 1_000)
"""Looking through 20,000 young objects for garbage holds everybody up for 5 to 15 ms, through these for one or two; the
second look through what five of those have left, for as long. All of it is only looked through by `tidy`."""
_M_ARENA_MAX = -8
"""Of malloc.h."""
IDLE_S = 3.0
"""Without a key for so long, nobody waits for an answer."""
FULLY_EVERY_S = 30.0
SETTLED_S = 10.0
"""By then everything has been read once; most of it stays."""


def be_quick() -> None:
    """Hand the interpreter over sooner than Python does."""
    sys.setswitchinterval(SWITCH_S)


def be_frugal() -> None:
    """Have threads share the heaps that are there: glibc gives each its own, and what is free in one helps no other.

    To be done before there are any, for what they have by then they keep. Elsewhere than on glibc nothing is done.
    """
    import ctypes  # loaded later anyway, but not by the commands without a screen

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


class Garbage:
    """What is left in circles is looked for in small pieces; through everything, only while nobody types."""

    def __init__(self) -> None:
        self._next_at: float | None = None
        self._has_settled = False

    def settle(self, now: float) -> None:
        """What is loaded by now stays: it need not be looked through again and again."""
        gc.freeze()
        gc.set_threshold(*COLLECTED_EVERY)
        gc.enable()
        self._next_at = now + SETTLED_S

    def tidy(self, now: float, typed_at: float) -> bool:
        """Look through everything, where that is due and the last key is long past; whether it was done."""
        if self._next_at is None or now < self._next_at or now - typed_at < IDLE_S:
            return False
        gc.collect()
        if not self._has_settled:
            # Thousands of streams are a hundred thousand objects, of which few ever change.
            self._has_settled = True
            gc.freeze()
        self._next_at = now + FULLY_EVERY_S
        return True
