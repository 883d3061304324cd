"""Who looks after a restart of Redis that lost its worker: waits for as long as it may take, and puts the halt back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest.mock import MagicMock

import pytest
from msgspec import structs

from actions.redis_container import put_back, restart
from actions.redis_container.halt import Halt
from cockpit.config import Settings
from cockpit.jobs import journaling
from cockpit.jobs.resolve import resolve
from cockpit.jobs.scene import Scene
from cockpit.jobs.worked import LEFT_BEHIND
from cockpit.model.job import Job, Phase, StepState
from cockpit.model.plan import Confirmation, Plan
from cockpit.model.sample import Sample
from cockpit.model.snapshot import Snapshot
from cockpit.storage.fold import fold
from cockpit.storage.journal import Entry
from tests.unit import healthy
from tests.unit.healthy import NOW, SETTINGS
from tests.unit.test_journal import WHO
from tests.unit.virtual_time import LoopClock, VirtualLoop, play

STOP_S = 40
WAS = Halt("true", "asha@jump1", "IBKR down", 1_700_000_000_000)
BEFORE = {"pid": 1, "run_id": "old", "groups": [], "halt": dict(WAS.parameters)}
ID = "20260401-000000-000-redis_container.restart-0001"
STARTED = Entry(NOW, "step_started", {"step": 0, "command": "POST", "before": BEFORE})
RESTARTED = Entry(NOW, "step_done", {"step": 0, "detail": "Docker has started it again", "facts": {}})
AT_IT = Entry(NOW, "step_started", {"step": 1, "command": "HGETALL", "before": {}})


def settings() -> Settings:
    part = SETTINGS.redis
    assert part is not None
    return structs.replace(SETTINGS, redis=structs.replace(part, stop_s=STOP_S, loading_s=30.0))


class Writer:
    """The kill switch of a Redis that forgot it, or that refuses it."""

    switch: dict[str, str] = {}
    refuses = False

    def __init__(self, _: object) -> None:
        pass

    async def read_kill_switch(self) -> dict[str, str]:
        return dict(Writer.switch)

    async def set_kill_switch(self, enabled: bool, by: str, reason: str, ts_ms: int) -> None:
        if not Writer.refuses:
            Writer.switch = {"enabled": "true", "by": by, "reason": reason, "ts": str(ts_ms)}

    async def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def writer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(put_back, "RedisWriter", Writer)
    Writer.switch, Writer.refuses = {}, False


class Seen:
    """Evidence of which only the container's process changes."""

    def __init__(self, clock: LoopClock, pid: Callable[[float], int]) -> None:
        self._clock = clock
        self._pid = pid

    async def read(self) -> Snapshot:
        now = self._clock.now()
        found = healthy.docker()
        container = replace(found.containers[0], pid=self._pid(self._clock.monotonic()))
        docker = Sample.good(replace(found, containers=(container,)), now, 0.0)
        return replace(healthy.snapshot(now), docker=docker)


def looked_after(*lines: Entry, pid: Callable[[float], int] = lambda _: 2) -> tuple[Phase | None, Job]:
    """What came of a job whose worker left these lines."""
    loop = VirtualLoop()
    clock = LoopClock(loop)
    plan: Plan = restart.plan(settings(), WHO, {}, healthy.snapshot(), NOW)
    entries: list[Entry] = [
        *journaling.submission(plan, Confirmation(plan.digest), WHO, "", NOW),
        Entry(NOW, "working", {"pid": 1}),
        *lines,
        Entry(NOW, LEFT_BEHIND),
    ]
    job = fold(ID, entries, is_held=True)
    assert job is not None
    evidence: Any = Seen(clock, pid)
    scene = Scene(settings(), clock, restart, plan, WHO, evidence, MagicMock(), entries.append, MagicMock(), ID)
    scene.remember(entries)
    ended = play(resolve(scene, job), loop)
    found = fold(ID, entries, is_held=True)
    assert found is not None
    return ended, found


def test_a_restart_is_not_called_undone_while_redis_may_still_be_saving() -> None:
    ended, job = looked_after(STARTED, pid=lambda passed_s: 1 if passed_s < STOP_S else 2)
    assert (ended, job.steps[0].state) == (None, StepState.DONE), job.error
    assert job.steps[0].detail.startswith("found done: a new process runs")


def test_a_restart_that_never_came_is_undone_afterwards() -> None:
    ended, job = looked_after(STARTED, pid=lambda _: 1)
    assert ended is Phase.FAILED and "no new process was started" in (job.error or "")
    assert Writer.switch == {}, "nothing was restarted: nothing can have been lost"


@pytest.mark.parametrize("lines", [(STARTED,), (STARTED, RESTARTED), (STARTED, RESTARTED, AT_IT)])
def test_the_halt_is_put_back_by_whoever_looks_after_it(lines: tuple[Entry, ...]) -> None:
    ended, job = looked_after(*lines)
    assert (ended, [step.state for step in job.steps]) == (None, [StepState.DONE] * 2), job.error
    assert (Writer.switch["enabled"], Writer.switch["by"], Writer.switch["ts"]) == ("true", WAS.by, str(WAS.since_ms))
    assert "LOST by the restart, engaged again (by whoever looked after" in job.steps[1].detail


def test_where_it_cannot_be_put_back_that_is_said_first() -> None:
    Writer.refuses = True
    ended, job = looked_after(STARTED, RESTARTED)
    assert ended is Phase.FAILED
    assert (job.error or "").startswith("not done: THE HALT IS NOT BACK ("), job.error


def test_before_anything_was_restarted_nothing_is_written() -> None:
    ended, job = looked_after()
    assert ended is Phase.FAILED and "nothing was done" in (job.error or "")
    assert Writer.switch == {}
