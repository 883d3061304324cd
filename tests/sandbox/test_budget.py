"""The whole sandbox together stays within what a laptop does not notice."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import psutil
from conftest import Control, wait_until

from cockpit.sandbox.layout import Layout

MOST_CPU = 0.20
MOST_PSS_BYTES = 300e6
MEASURED_S = 4.0


def tree(pid: int) -> list[int]:
    return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]


def cpu_s(pids: list[int]) -> dict[int, float]:
    """Exact times on the processor, where psutil's come in hundredths of a second."""
    found = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            tasks = Path(f"/proc/{pid}/task").iterdir()
            found[pid] = sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
    return found


def pss_bytes(pids: list[int]) -> dict[str, int]:
    found = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            name = Path(f"/proc/{pid}/comm").read_text().strip()
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            found[f"{name} {pid}"] = sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return found


def test_a_fifth_of_a_core_and_300_megabytes(sandbox: tuple[Layout, Control]) -> None:
    _, control = sandbox
    control.clear()
    wait_until(lambda: control.status()["up_s"] > 5.0, 10.0)
    pids = tree(control.status()["pid"])
    before, began = cpu_s(pids), time.monotonic()
    wait_until(lambda: time.monotonic() - began > MEASURED_S, MEASURED_S + 5.0)
    after, took_s = cpu_s(pids), time.monotonic() - began
    used = sum(after[pid] - before[pid] for pid in after if pid in before) / took_s
    assert used < MOST_CPU, f"{used:.0%} of a core"
    memory = pss_bytes(pids)
    assert sum(memory.values()) < MOST_PSS_BYTES, sorted(memory.items(), key=lambda item: -item[1])[:5]
