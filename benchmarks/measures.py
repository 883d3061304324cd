"""The measurements, each a dictionary of numbers with their units in the names."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from benchmarks.ptyprogram import PtyProgram
from benchmarks.tree import usage

COCKPIT = (sys.executable, "-m", "cockpit")
BARE = (sys.executable, "-m", "benchmarks.bare")
Numbers = dict[str, float]


def _ready(command: Sequence[str], is_ready: Callable[[str], bool], runs: int) -> list[float]:
    times = []
    for _ in range(runs):
        program = PtyProgram(command)
        try:
            times.append(program.until(is_ready) * 1000)
        finally:
            program.close()
    return times


def start(runs: int = 6) -> Numbers:
    """First complete frame of the cockpit beside a bare Textual program's."""
    bare = statistics.median(_ready(BARE, lambda text: "hello, terminal" in text, runs))
    first = statistics.median(_ready(COCKPIT, lambda text: "Brokers" in text and "Findings" in text, runs))
    return {"bare_ms": bare, "first_frame_ms": first, "first_frame_ratio": first / bare}


def help_text(runs: int = 10) -> Numbers:
    """`cockpit --help`."""
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        subprocess.run([*COCKPIT, "--help"], stdout=subprocess.DEVNULL, check=True)
        times.append((time.perf_counter() - began) * 1000)
    return {"help_ms": statistics.median(times)}


def live(seconds: float = 20.0) -> Numbers:
    """The cockpit on a trading sandbox: first data, output, CPU, memory, keys."""
    program = PtyProgram(COCKPIT)
    try:
        data_s = program.until(lambda text: "ACTIVE" in text and "VaR" in text, 60.0)
        program.drain(5.0)
        sandbox = _children(program.pid)
        spent = _watch(program, seconds)
        keys = _keys(program)
        return {
            "first_data_s": data_s,
            "output_bytes_per_s": spent["bytes"] / seconds,
            "cpu_percent": spent["cpu"] * 100,
            "memory_mb": spent["pss"] / 1e6,
            **keys,
            **_sandbox(sandbox, seconds, program),
        }
    finally:
        program.close()


def _children(pid: int) -> list[int]:
    import psutil

    return [child.pid for child in psutil.Process(pid).children()]


def _watch(program: PtyProgram, seconds: float) -> Numbers:
    """The cockpit's own process, while its output is read."""
    import psutil

    process = psutil.Process(program.pid)
    before, began = sum(process.cpu_times()[:2]), time.perf_counter()
    count = program.drain(seconds)
    spent = sum(process.cpu_times()[:2]) - before
    return {
        "cpu": spent / (time.perf_counter() - began),
        "bytes": float(count),
        "pss": float(process.memory_full_info().pss),
    }


def _keys(program: PtyProgram, count: int = 40) -> Numbers:
    """A key (select the next panel) until the first byte of its answer."""
    times = []
    for _ in range(count):
        program.drain(0.15)
        began = time.perf_counter()
        program.send("\t")
        program.read(1.0)
        times.append((time.perf_counter() - began) * 1000)
    times.sort()
    return {"key_p50_ms": statistics.median(times), "key_worst_ms": times[-1]}


def _sandbox(pids: list[int], seconds: float, program: PtyProgram) -> Numbers:
    """Everything the sandbox runs, together."""
    if not pids:
        return {}
    spent = usage(pids, seconds / 2)
    program.drain(0.1)
    return {
        "sandbox_cpu_percent": spent.cpu_fraction * 100,
        "sandbox_memory_mb": spent.pss_bytes / 1e6,
        "sandbox_processes": float(spent.processes),
    }
