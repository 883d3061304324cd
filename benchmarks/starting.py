"""Start-up: the first complete frame and the first data, beside a bare Textual program in turns."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Sequence

from benchmarks.arena import BARE, COCKPIT, Arena, is_filled
from benchmarks.holdings import cpu_s
from benchmarks.ptyprogram import PtyProgram

Numbers = dict[str, float]


def start(arena: Arena, runs: int = 8) -> Numbers:
    """Medians of so many starts each, interleaved, so that what else the machine does hits both alike."""
    cockpit = (*COCKPIT, "--config", str(arena.layout.config))
    times: dict[str, list[float]] = {"bare": [], "frame": [], "data": [], "bare_cpu": [], "help": []}
    for _ in range(runs):
        _, cpu = _started(BARE, times, bare=lambda text: "hello, terminal" in text)
        times["bare_cpu"].append(cpu)
        _started(cockpit, times, frame=lambda text: "Brokers" in text and "Findings" in text, data=is_filled)
        began = time.perf_counter()
        subprocess.run([*COCKPIT, "--help"], stdout=subprocess.DEVNULL, check=True)
        times["help"].append(time.perf_counter() - began)
    found = {name: statistics.median(each) * 1000 for name, each in times.items()}
    return {
        "bare_ms": found["bare"],
        "bare_start_cpu_ms": found["bare_cpu"],
        "first_frame_ms": found["frame"],
        "first_frame_ratio": found["frame"] / found["bare"],
        "first_data_ms": found["data"],
        "first_data_ratio": found["data"] / found["bare"],
        "help_ms": found["help"],
    }


def _started(
    command: Sequence[str], times: dict[str, list[float]], **seen: Callable[[str], bool]
) -> tuple[float, float]:
    program = PtyProgram(command)
    try:
        for name, is_there in seen.items():
            times[name].append(program.until(is_there, 60.0))
        return times[name][-1], cpu_s(program.pid)
    finally:
        program.close()
