"""A running process as the kernel accounts for it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import psutil

_PROCESS_CLOCK = 2
"""CPUCLOCK_SCHED: how the kernel numbers the CPU clock of another process, to the nanosecond."""


def cpu_s(pid: int) -> float:
    """CPU seconds that it has used, all its threads together."""
    return time.clock_gettime(~pid << 3 | _PROCESS_CLOCK)


LOOKS, LOOK_S = 10, 0.02
"""A question that is on its way holds a connection: the fewest descriptors of several moments count."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a process holds."""

    pss_bytes: int
    """Proportional set size: pages shared by n processes count for 1/n."""
    threads: int
    descriptors: int

    @classmethod
    def of(cls, pid: int) -> Holdings:
        """Now."""
        process = psutil.Process(pid)
        descriptors = min(_open_in(pid, at * LOOK_S) for at in range(LOOKS))
        return cls(process.memory_full_info().pss, process.num_threads(), descriptors)


def _open_in(pid: int, after_s: float) -> int:
    time.sleep(after_s)
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def load() -> float:
    """The machine's load of the last minute: numbers of a busy machine are worth less."""
    return float(Path("/proc/loadavg").read_text(encoding="ascii").split()[0])
