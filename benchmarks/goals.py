"""What is aimed at, and from where on it is a regression; limits are ratios wherever a machine could matter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isnan

Numbers = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Goal:
    """One row of the table: at most so much."""

    number: str
    what: str
    goal: float
    limit: float | None = None
    """More is a regression; None where only a quiet machine could tell."""
    unit: str = ""
    beside: str = ""
    """The same of a bare Textual program in the same run."""


GOALS = (
    Goal("first_frame_ratio", "first complete frame / bare Textual", 1.2, 1.25, "x"),
    Goal("first_data_ratio", "first data / first frame of bare Textual", 2.0, 2.5, "x"),
    Goal("output_bytes_per_s", "output at 1 Hz, everything changing", 1200, 1800, "B/s"),
    Goal("frozen_bytes_per_s", "output while frozen", 0, 10, "B/s"),
    Goal("cpu_percent", "CPU of a core, 1,000 streams", 1.2, None, "%", "bare_cpu_percent"),
    Goal("cpu_ratio", "the same: a minute's CPU / CPU of a bare start", 3.6, 9.0, "x"),
    Goal("memory_mb", "memory with every client loaded", 90, 120, "MB", "bare_memory_mb"),
    Goal("key_p50_ms", "key until its answer, median", 6, None, "ms", "bare_key_p50_ms"),
    Goal("key_p99_ms", "key until its answer, 99 %", 16, None, "ms", "bare_key_p99_ms"),
    Goal("key_ratio", "key, median / bare Textual", 3.0, 5.0, "x"),
    Goal("key_black_holed_p99_ms", "key, 99 %, every backend a black hole", 16, None, "ms"),
    Goal("key_10k_streams_p99_ms", "key, 99 %, 10,000 streams read", 16, None, "ms"),
    Goal("key_flooded_p99_ms", "key, 99 %, a job prints 10 MB/s", 16, None, "ms"),
    Goal("link_key_ratio", "64 kbit/s, 150 ms: key / bare Textual", 1.6, 2.5, "x"),
    Goal("link_update_age_ms", "64 kbit/s, 150 ms: age of updates", 1000, 1500, "ms"),
    Goal("link_queue_growth_ms", "64 kbit/s, 150 ms: growth of the queue in 20 s", 100, 500, "ms"),
    Goal("link_right_after_stall_s", "right again after 60 s without reading", 2, 4, "s"),
    Goal("link_answering_after_stall_s", "the same on a terminal that answers, as real ones do", 2, 2, "s"),
    Goal("streams_1k_tick_ms", "1,000 streams with 2 groups, a tick", 20, 100, "ms"),
    Goal("streams_10k_tick_ms", "10,000 streams with 2 groups, a tick", 200, 1000, "ms"),
    Goal("streams_1k_stall_p999_ms", "1,000: stall of the screen's loop, 99.9 %", 5, None, "ms", "quiet_stall_p999_ms"),
    Goal("streams_10k_stall_p999_ms", "10,000: stall of the screen's loop, 99.9 %", 5, None, "ms"),
    Goal("soak_memory_ratio", "a day of ticks, 100 deaths: memory after / before", 1.05, 1.1, "x"),
    Goal("soak_left_over", "the same: tasks, threads, descriptors left over", 0, 0),
    Goal("lived_memory_ratio", "200 screens, 100 connections killed: memory", 1.05, 1.15, "x"),
    Goal("lived_again_memory_ratio", "the same again: memory after / before", 1.05, 1.1, "x"),
    Goal("lived_threads_left", "the same: threads left over", 0, 3),
    Goal("lived_descriptors_left", "the same: descriptors left over", 0, 3),
    Goal("halt_p99_ms", "from the confirming key to the flag in Redis, 99 %", 50, None, "ms"),
)


def with_ratios(numbers: Numbers) -> dict[str, float]:
    """The numbers, and what can be said of them without knowing the machine."""
    found = dict(numbers)
    if {"cpu_percent", "bare_start_cpu_ms"} <= found.keys():
        found["cpu_ratio"] = found["cpu_percent"] * 600 / found["bare_start_cpu_ms"]
    if {"key_p50_ms", "bare_key_p50_ms"} <= found.keys():
        found["key_ratio"] = found["key_p50_ms"] / found["bare_key_p50_ms"]
    return found


def regressions(numbers: Numbers) -> Iterator[str]:
    """What is over its limit, a line each."""
    for goal in GOALS:
        value = numbers.get(goal.number)
        if value is not None and goal.limit is not None and value > goal.limit:
            yield f"{goal.what}: {value:.4g} {goal.unit}, the limit is {goal.limit:g}"


def table(numbers: Numbers, peers: Mapping[str, Numbers | None], header: str) -> str:
    """Markdown."""
    rows = ["# What it costs", "", header, "", "| what | measured | goal | bare Textual | |", "|---|--:|--:|--:|---|"]
    for goal in GOALS:
        value = numbers.get(goal.number)
        shown = "not measured" if value is None else f"{value:,.4g} {goal.unit}".rstrip()
        beside = f"{numbers[goal.beside]:,.3g} {goal.unit}" if goal.beside in numbers else ""
        verdict = "" if value is None else "met" if value <= goal.goal else "**missed**"
        rows.append(f"| {goal.what} | {shown} | {goal.goal:,g} {goal.unit} | {beside} | {verdict} |".replace("  ", " "))
    if peers:
        rows += [
            "",
            "## Others, in the same run",
            "",
            "Each as it comes up by itself: pg_activity on the sandbox's Postgres, the others with nothing to look at.",
            "",
            "| program | ready ms | B/s | CPU % | key p50 ms | key p99 ms | MB |",
        ]
        rows += ["|---|--:|--:|--:|--:|--:|--:|"]
        for name, found in peers.items():
            cells = _cells(found)
            rows.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(rows) + "\n"


def _cells(found: Numbers | None) -> list[str]:
    if found is None or any(value is None or isnan(value) for value in found.values()):
        return ["not installed" if found is None else "did not come up", *[""] * 5]
    return [f"{value:,.4g}" if value < 1e4 else f"{value:,.0f}" for value in found.values()]
