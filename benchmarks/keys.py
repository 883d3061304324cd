"""How long a key takes until its answer is on its way to the terminal."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle

from benchmarks.arena import COCKPIT, Arena
from benchmarks.ptyprogram import PtyProgram
from cockpit.sandbox import launcher

KEYS = 300
GAPS_S = (0.06, 0.11, 0.075, 0.13, 0.09)
"""Between keys; together no multiple of the tick, so that every moment of it is met."""
BLACK_HOLES = ("redis", "postgres", "kubernetes", "docker", "grafana", "ibkr", "zerodha")
SETTLE_S = 6.0
FLOOD_S = 60
FLOOD = f"""\
import sys, time
line = b"x" * 99 + b"\\n"
end = time.monotonic() + {FLOOD_S}
began, sent = time.monotonic(), 0
while time.monotonic() < end:
    sys.stdout.buffer.write(line * 1000)
    sent += 100_000
    time.sleep(max(0.0, sent / 10e6 - (time.monotonic() - began)))
"""


def pressed(program: PtyProgram, name: str, count: int = KEYS, key: str = "\t") -> dict[str, float]:
    """Milliseconds until the first byte of its answer; Tab selects the wall's next panel."""
    times = []
    gaps = cycle(GAPS_S)
    for _ in range(count):
        program.drain(next(gaps))
        began = time.perf_counter()
        program.send(key)
        program.read(2.0)
        times.append((time.perf_counter() - began) * 1000)
    times.sort()
    return {
        f"{name}_p50_ms": statistics.median(times),
        f"{name}_p99_ms": times[int(0.99 * count) - 1],
        f"{name}_worst_ms": times[-1],
    }


def in_need(arena: Arena, count: int = KEYS) -> dict[str, float]:
    """While every backend is a black hole, while 10,000 streams are read, while a job prints 10 MB a second."""
    found: dict[str, float] = {}
    cases: tuple[tuple[str, Callable[[Arena], object]], ...] = (
        ("key_black_holed", _black_holed),
        ("key_10k_streams", _many_streams),
        ("key_flooded", _flooded),
    )
    for name, case in cases:
        with case(arena) as program:  # type: ignore[attr-defined]
            found |= pressed(program, name, count)
    return found


@contextmanager
def _black_holed(arena: Arena) -> Iterator[PtyProgram]:
    program = arena.cockpit(arena.layout.config)
    try:
        for backend in BLACK_HOLES:
            launcher.inject(arena.layout, f"{backend}-blackhole")
        program.drain(SETTLE_S)
        yield program
    finally:
        launcher.clear(arena.layout)
        program.close()


@contextmanager
def _many_streams(arena: Arena) -> Iterator[PtyProgram]:
    program = arena.cockpit(arena.config("ten-thousand", streams=10_000))
    try:
        program.drain(SETTLE_S)
        yield program
    finally:
        program.close()


@contextmanager
def _flooded(arena: Arena) -> Iterator[PtyProgram]:
    runbook = arena.folder / "runbook.yaml"
    command = json.dumps([COCKPIT[0], "-c", FLOOD])
    runbook.write_text(
        "sections:\n  - section: '9'\n    title: Ours\n    key: o\n    steps:\n"
        "      - {action: general.command, name: flood, key: f, title: Flood, summary: Ours., danger: observe,\n"
        f"         parameters: {{command: {command}, timeout_s: 600}}}}\n",
        encoding="utf-8",
    )
    runbook.chmod(0o600)
    config = arena.config("flooded", runbook=str(runbook))
    program = arena.cockpit(config)
    job = PtyProgram((*COCKPIT, "run", "flood", "--config", str(config)))
    try:
        program.drain(SETTLE_S)
        yield program
    finally:
        job.close()
        program.close()
