"""What a cockpit costs while it watches a trading platform with a thousand streams more, beside a bare program."""

from __future__ import annotations

import time

from benchmarks.arena import BARE, Arena
from benchmarks.holdings import Holdings, cpu_s
from benchmarks.keys import pressed
from benchmarks.ptyprogram import PtyProgram

SETTLE_S = 10.0
FROZEN_S = 15.0


def live(arena: Arena, seconds: float = 60.0, streams: int = 1000) -> dict[str, float]:
    """CPU, output, memory and keys."""
    bare = PtyProgram(BARE)
    program = arena.cockpit(arena.config("thousand", streams=streams))
    try:
        bare.until(lambda text: "hello, terminal" in text)
        program.drain(SETTLE_S)
        before, bare_before, began = cpu_s(program.pid), cpu_s(bare.pid), time.perf_counter()
        count = program.drain(seconds)
        took = time.perf_counter() - began
        spent, bare_spent = cpu_s(program.pid) - before, cpu_s(bare.pid) - bare_before
        held, bare_held = Holdings.of(program.pid), Holdings.of(bare.pid)
        keys = pressed(program, "key") | pressed(bare, "bare_key", 100)
        return {
            "cpu_percent": 100 * spent / took,
            "bare_cpu_percent": 100 * bare_spent / took,
            "output_bytes_per_s": count / took,
            "memory_mb": held.pss_bytes / 1e6,
            "bare_memory_mb": bare_held.pss_bytes / 1e6,
            **keys,
            **_frozen(program),
        }
    finally:
        bare.close()
        program.close()


def _frozen(program: PtyProgram) -> dict[str, float]:
    """The wall frozen, within one minute: its clock alone goes on, 80 bytes a minute."""
    program.send("p")
    program.drain(2.0)
    left_s = 60.0 - time.time() % 60.0
    if left_s < FROZEN_S + 1.0:
        program.drain(left_s + 1.0)
    return {"frozen_bytes_per_s": program.drain(FROZEN_S) / FROZEN_S}
