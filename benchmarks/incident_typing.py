"""A key in a report of 5,000 lines beside one in an empty report: until the first byte of its answer, on a real pty.

`python -m benchmarks.incident_typing [CONFIG]`; without a configuration, on a sandbox of its own.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

from benchmarks.ptyprogram import PtyProgram
from cockpit.config import load
from cockpit.model.severity import Severity
from cockpit.storage.incidents import Incidents, Opening

LINES = 5000
KEYS = 150


def keys(program: PtyProgram, count: int) -> list[float]:
    """Milliseconds from a letter to the first byte that answers it."""
    times = []
    for number in range(count):
        program.drain(0.06)
        began = time.perf_counter()
        program.send("abcdefghij"[number % 10])
        program.read(1.0)
        times.append((time.perf_counter() - began) * 1000)
    return sorted(times)


def measure(config: Path) -> dict[str, float]:
    """Both, in turns: what else the machine does hits both alike."""
    incidents = Incidents(load(config).incidents_folder, "benchmark")
    found: dict[str, list[float]] = {"empty": [], "long": []}
    for _ in range(2):
        for kind, lines in (("empty", 0), ("long", LINES)):
            text = "".join(f"- line {number} of a long night, with `code` and **weight**\n" for number in range(lines))
            made = incidents.open(Opening(f"typing {kind}", Severity.P4, f"## Summary\n\n{text}"))
            program = PtyProgram((sys.executable, "-m", "cockpit", "--config", str(config)))
            try:
                program.until(lambda text: "ACTIVE" in text, 60.0)
                program.send("3")
                program.until(lambda text, kind=kind: f"typing {kind}" in text and "saved" in text)  # type: ignore[misc]
                program.send("\t")
                program.until(lambda text: "leave the text" in text)
                program.send("\x1b[B" * 25)
                program.drain(1.0)
                found[kind] += keys(program, KEYS)
            finally:
                program.close()
                incidents.set(made.id, {"closed": "2000-01-01T00:00:00Z"})
    numbers = {}
    for kind, times in found.items():
        times.sort()
        numbers[f"{kind}_p50_ms"] = statistics.median(times)
        numbers[f"{kind}_p90_ms"] = times[len(times) * 9 // 10]
        numbers[f"{kind}_p99_ms"] = times[len(times) * 99 // 100]
    numbers["ratio_p50"] = numbers["long_p50_ms"] / numbers["empty_p50_ms"]
    return numbers


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(Path(sys.argv[1])), indent=1))
    else:
        from cockpit.sandbox import launcher

        private = launcher.launch_private(watch=lambda one: None)
        try:
            print(json.dumps(measure(private.layout.config), indent=1))
        finally:
            private.close()
