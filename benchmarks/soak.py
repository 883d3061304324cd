"""A day's worth of ticks by an injected clock, and a real cockpit with its screens switched and its backends killed."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import redis

from benchmarks.arena import Arena
from benchmarks.holdings import Holdings
from benchmarks.ptyprogram import PtyProgram
from cockpit.config import Settings, load
from cockpit.errors import Unreachable
from cockpit.model.sample import Sample
from cockpit.model.snapshot import Snapshot
from cockpit.observe.hub import Hub
from cockpit.observe.lookout import make_judge
from cockpit.observe.pace import Pace
from cockpit.session import Session

DAY_TICKS = 86_400
WARM_TICKS = 8_000
"""The history is full after 3,600, and every cache by then."""
DRAWN_EVERY = 10
DEATHS = 100
SWITCHES = 200
SCREENS = "2367"


class ToldClock:
    """Stands still until it is moved."""

    def __init__(self, at: float) -> None:
        self.at = at

    def now(self) -> float:
        """Unix time."""
        return self.at

    def monotonic(self) -> float:
        """Seconds."""
        return self.at


class Replayed:
    """A backend that says what it said once, or is dead."""

    def __init__(self, name: str, samples: dict[str, Sample[Any]], clock: ToldClock) -> None:
        self.name = name
        self.fields = tuple(samples)
        self.pace = Pace(1.0, 2.0)
        self.is_dead = False
        self._samples = samples
        self._clock = clock

    async def read(self) -> dict[str, Sample[Any]]:
        """The same values, of now."""
        if self.is_dead:
            raise Unreachable("cannot reach it: connection refused")
        now = self._clock.now()
        return {name: replace(one, value_at=now, tried_at=now) for name, one in self._samples.items()}

    async def close(self) -> None:
        """Nothing is held open."""


class Deaf(Session):
    """A session that watches nothing by itself."""

    def start(self, listener: object) -> None:
        """Nothing begins."""


def a_snapshot(arena: Arena) -> tuple[Settings, Session, Snapshot]:
    """What a real session sees of the sandbox, and a session that does not look."""
    settings = load(Path(arena.layout.config))
    session = Session.open(settings)
    seen = threading.Event()
    session.start(lambda snapshot: seen.set() if snapshot.redis.value and snapshot.kubernetes.value else None)
    seen.wait(30.0)
    session.stop()
    return settings, Deaf.open(settings), session.snapshot


def day(arena: Arena, ticks: int = DAY_TICKS, deaths: int = DEATHS) -> dict[str, float]:
    """Poll, fold, judge, remember, and draw some; memory, threads, tasks and descriptors before and after."""
    return asyncio.run(_day(*a_snapshot(arena), ticks, deaths))


async def _day(settings: Settings, session: Session, seen: Snapshot, ticks: int, deaths: int) -> dict[str, float]:
    from cockpit.screens.application import CockpitApp

    clock = ToldClock(seen.taken_at)
    fields = [name for name in Snapshot.__dataclass_fields__ if isinstance(getattr(seen, name), Sample)]
    sources = [Replayed(name, {name: getattr(seen, name)}, clock) for name in fields if name != "incidents"]
    app = CockpitApp(lambda progress, begin: (session, lambda view: ()), clock)
    hub = Hub(settings, clock, sources, make_judge(settings, session._runbook), lambda: (), lambda snapshot: None)
    poller, every = hub._poller, ticks // max(1, deaths)
    before = None
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        for tick in range(ticks):
            clock.at += 1.0
            for at, source in enumerate(sources):
                source.is_dead = tick % every < 8 and (tick // every) % len(sources) == at
                await poller._ask(source)
            hub._publish(is_tick=True)
            if tick % DRAWN_EVERY == 0:
                app.desk.snapshot = hub.snapshot
                app._draw()
                await asyncio.sleep(0)
            if tick == min(WARM_TICKS, ticks // 4):
                await pilot.pause()
                before = _here()
        await pilot.pause()
        after = _here()
    assert before is not None
    return {
        "soak_ticks": float(ticks),
        "soak_memory_ratio": after[0] / before[0],
        "soak_left_over": float(sum(max(0, late - early) for early, late in zip(before[1:], after[1:], strict=True))),
    }


def _here() -> tuple[int, int, int, int]:
    """Memory, threads, descriptors and tasks of this very process."""
    gc.collect()
    held = Holdings.of(os.getpid())
    return held.pss_bytes, held.threads, held.descriptors, len(asyncio.all_tasks())


def lived(arena: Arena, switches: int = SWITCHES, deaths: int = DEATHS) -> dict[str, float]:
    """A real cockpit: so many screens looked at, so many connections of its backends killed."""
    program = arena.cockpit(arena.layout.config)
    try:
        _trouble(arena, program, switches // 4, deaths // 4)
        program.drain(8.0)
        before = Holdings.of(program.pid)
        _trouble(arena, program, switches, deaths)
        program.send("1")
        program.drain(8.0)
        after = Holdings.of(program.pid)
        # What is filled for the first time, caches and the history, is no leak: the same again says what is.
        _trouble(arena, program, switches, deaths)
        program.send("1")
        program.drain(8.0)
        again = Holdings.of(program.pid)
        return {
            "lived_memory_ratio": after.pss_bytes / before.pss_bytes,
            "lived_again_memory_ratio": again.pss_bytes / after.pss_bytes,
            "lived_threads_left": float(max(0, after.threads - before.threads)),
            "lived_descriptors_left": float(max(0, after.descriptors - before.descriptors)),
        }
    finally:
        program.close()


def _trouble(arena: Arena, program: PtyProgram, switches: int, deaths: int) -> None:
    part = load(Path(arena.layout.config)).redis
    assert part is not None
    with redis.Redis.from_url(part.url) as client:
        for number in range(max(switches, deaths)):
            if number < deaths:
                with suppress(redis.RedisError):
                    for one in client.client_list():
                        if one.get("name") == "cockpit":
                            client.client_kill_filter(_id=one["id"])
            if number < switches:
                program.send(SCREENS[number % len(SCREENS)])
            program.drain(0.15)
