"""How the interpreter is shared: quickly handed over, and never searched through while somebody types."""

from __future__ import annotations

import gc
import platform
import subprocess
import sys
import weakref
from collections.abc import Iterator

import pytest

from cockpit.interpreter import COLLECTED_EVERY, FULLY_EVERY_S, IDLE_S, SETTLED_S, Garbage


class Circle:
    """Garbage that only the collector frees."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    thresholds, is_on = gc.get_threshold(), gc.isenabled()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)
    (gc.enable if is_on else gc.disable)()


def test_everything_is_looked_through_only_while_nobody_types() -> None:
    garbage = Garbage()
    assert not garbage.tidy(1e6, 0.0), "before anything is loaded the start is in a hurry"
    garbage.settle(100.0)
    due = 100.0 + SETTLED_S
    assert not garbage.tidy(due - 0.1, 0.0)
    assert not garbage.tidy(due, due - IDLE_S + 0.1)
    assert garbage.tidy(due + 1.0, due - IDLE_S)
    assert not garbage.tidy(due + 2.0, 0.0), "once is enough for a while"
    assert garbage.tidy(due + 1.0 + FULLY_EVERY_S, 0.0)


def test_what_the_watch_has_built_is_set_aside_and_what_comes_later_is_freed() -> None:
    garbage = Garbage()
    garbage.settle(0.0)
    built = [[number] for number in range(1000)]
    before = gc.get_freeze_count()
    assert garbage.tidy(SETTLED_S, 0.0)
    assert gc.get_freeze_count() >= before + len(built)
    circle = Circle()
    gone = weakref.ref(circle)
    del circle
    assert garbage.tidy(SETTLED_S + FULLY_EVERY_S, 0.0)
    assert gone() is None


def test_young_garbage_is_looked_for_in_small_pieces() -> None:
    found: list[int] = []
    Garbage().settle(0.0)
    gc.callbacks.append(lambda phase, info: found.append(gc.get_count()[0]) if phase == "start" else None)
    try:
        kept = [[number] for number in range(10 * COLLECTED_EVERY[0])]
    finally:
        gc.callbacks.pop()
    assert kept and len(found) >= 9
    assert max(found) <= 1.1 * COLLECTED_EVERY[0]


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has a heap for each thread")
def test_threads_share_one_heap() -> None:
    code = """
import ctypes, threading
from cockpit import interpreter
interpreter.be_frugal()
threads = [threading.Thread(target=bytes, args=(100_000,)) for _ in range(4)]
[each.start() for each in threads], [each.join() for each in threads]
ctypes.CDLL(None).malloc_stats()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.count("Arena ") == 1, done.stderr


def test_a_key_does_not_wait_for_the_frame_after_the_ticks() -> None:
    """The toolkit's own 60 frames a second would hold it up for 16 ms."""
    code = (
        "from cockpit.terminal import environment; environment.prepare(); "
        "from textual.screen import UPDATE_PERIOD; print(UPDATE_PERIOD)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert float(done.stdout) <= 0.004
