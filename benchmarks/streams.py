"""A tick's reading of 1,000 and 10,000 streams with two groups each, and what the screen's loop feels of it."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import redis

from benchmarks.arena import fill, stream_names
from cockpit.clock import SystemClock
from cockpit.config import Settings
from cockpit.interpreter import Garbage, be_quick
from cockpit.parts import parsed
from cockpit.probes.redis_wall import RedisProbes
from cockpit.sandbox.ports import choose_ports
from cockpit.sandbox.redis_server import redis_program

TICKS = 15
PAUSE_S = 0.5
BEAT_S = 0.002
ROUNDS = 3
"""99.9 % of a round is all but its four worst moments, which a machine with others on it makes by itself: the median of
some rounds counts."""


def streams() -> dict[str, float]:
    """Both sizes, on a Redis of its own."""
    found: dict[str, float] = {}
    # The loop that is watched shares its interpreter as the screen's does.
    be_quick()
    Garbage().settle(0.0)
    with tempfile.TemporaryDirectory() as folder:
        port = choose_ports().redis
        options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""]
        server = subprocess.Popen([redis_program("redis-server"), *options], stdout=subprocess.DEVNULL)
        try:
            client = redis.Redis(port=port)
            _until_up(client)
            quiet = [_stalls(time.sleep, TICKS * PAUSE_S)[0] for _ in range(ROUNDS)]
            found |= {"quiet_stall_p999_ms": statistics.median(quiet)}
            for count in (1_000, 10_000):
                fill(client, count)
                rounds = [_measure(port, count, Path(folder)) for _ in range(ROUNDS)]
                found |= {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}
        finally:
            server.terminate()
            server.wait()
    return found


def _measure(port: int, count: int, root: Path) -> dict[str, float]:
    part = {"url": f"redis://127.0.0.1:{port}/0", "watched_streams": stream_names(count), "timeout_s": 5.0}
    settings = parsed(Settings, {"site": "bench", "root": str(root), "redis": part})
    times: list[float] = []
    failures: list[str] = []

    async def read() -> None:
        probes = RedisProbes(settings, SystemClock())
        for _ in range(TICKS):
            await asyncio.sleep(PAUSE_S)
            began = time.perf_counter()
            samples = await probes.tick()
            times.append((time.perf_counter() - began) * 1000)
            failures.extend(filter(None, [samples["redis"].error]))
        await probes.close()

    thread = threading.Thread(target=lambda: asyncio.run(read()), daemon=True)
    stall_ms, worst_ms = _stalls(lambda _: _joined(thread), 60.0)
    if failures or len(times) < TICKS:
        raise RuntimeError(f"{count} streams were not read: {failures[:1]}")
    name = f"streams_{count // 1000}k"
    return {
        f"{name}_tick_ms": statistics.median(times[2:]),
        f"{name}_stall_p999_ms": stall_ms,
        f"{name}_stall_worst_ms": worst_ms,
    }


def _joined(thread: threading.Thread) -> None:
    thread.start()
    thread.join()


def _stalls(work: object, limit_s: float) -> tuple[float, float]:
    """How late a loop on this thread is woken while another does its work: 99.9 % of the time, and at worst."""
    late: list[float] = []

    async def beat() -> None:
        waiting = asyncio.get_running_loop().run_in_executor(None, work, limit_s)  # type: ignore[arg-type]
        while not waiting.done():
            due = time.perf_counter() + BEAT_S
            await asyncio.sleep(BEAT_S)
            late.append((time.perf_counter() - due) * 1000)
        await waiting

    asyncio.run(beat())
    late.sort()
    return late[int(0.999 * len(late))], late[-1]


def _until_up(client: redis.Redis) -> None:
    while True:
        try:
            client.ping()
        except redis.ConnectionError:
            time.sleep(0.05)
        else:
            return
