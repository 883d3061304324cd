"""CPU and memory of a process and everything below it."""

from __future__ import annotations

import time
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Usage:
    """Over one stretch of time."""

    cpu_fraction: float
    """Of one core."""
    pss_bytes: int
    """Proportional set size: pages shared by n processes count for 1/n in each."""
    processes: int


def _tree(pids: list[int]) -> list[psutil.Process]:
    found: dict[int, psutil.Process] = {}
    for pid in pids:
        root = psutil.Process(pid)
        found |= {process.pid: process for process in (root, *root.children(recursive=True))}
    return list(found.values())


def _cpu_s(processes: list[psutil.Process]) -> float:
    """CPU seconds used by these, including children that they already waited for."""
    total = 0.0
    for process in processes:
        try:
            total += sum(process.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue
    return total


def _pss_bytes(processes: list[psutil.Process]) -> int:
    total = 0
    for process in processes:
        try:
            total += process.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return total


def usage(pids: list[int], seconds: float) -> Usage:
    """Watch the trees below `pids` for `seconds`."""
    processes = _tree(pids)
    before, started = _cpu_s(processes), time.perf_counter()
    time.sleep(seconds)
    took = time.perf_counter() - started
    return Usage((_cpu_s(processes) - before) / took, _pss_bytes(_tree(pids)), len(processes))
