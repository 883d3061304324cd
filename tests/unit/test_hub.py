"""Snapshots: one each interval, at once when it matters, whatever listeners, judges and journals do."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from actions.runbook import Runbook
from cockpit.clock import SystemClock
from cockpit.errors import Unreachable
from cockpit.model.finding import Assessment
from cockpit.model.job import Job, Phase
from cockpit.model.sample import Sample
from cockpit.model.severity import Severity
from cockpit.model.snapshot import Snapshot
from cockpit.model.states import KillSwitch
from cockpit.model.world import World
from cockpit.observe.hub import Hub
from cockpit.observe.lookout import make_judge
from cockpit.observe.observer import Observer
from cockpit.observe.pace import Pace
from tests.patience import PATIENCE_S
from tests.unit.healthy import SETTINGS, reach, values
from tests.unit.virtual_time import EPOCH, LoopClock, VirtualLoop, play


def a_job(phase: Phase) -> Job:
    return Job("j1", "kill_switch.engage", "Engage", "redis", World.SANDBOX, "d", "asha", phase, 0.0)


class Stage:
    """A hub over one source that says what it is told, in virtual time."""

    def __init__(self, interval_s: float = 1.0) -> None:
        self.loop = VirtualLoop()
        self.clock = LoopClock(self.loop)
        self.now: dict[str, Any] = values()
        self.jobs: tuple[Job, ...] = ()
        self.seen: list[Snapshot] = []
        self.listener: Callable[[Snapshot], None] = self.seen.append
        self.take_step: Callable[[], float] = lambda: 0.0
        self._began: list[float] = []
        self.source = WholePlatform(self, interval_s)

    def began(self, at: int) -> float:
        """When a snapshot came, whatever the clock says."""
        return self._began[at]

    def hear(self, one: Snapshot) -> None:
        self._began.append(self.loop.time())
        self.listener(one)

    def run(self, seconds: float, *acts: tuple[float, Callable[[], None]]) -> list[Snapshot]:
        async def main() -> Hub:
            judge = make_judge(SETTINGS, Runbook(()))
            hub = Hub(SETTINGS, self.clock, [self.source], judge, lambda: self.jobs, self.hear, self.take_step)
            running = asyncio.ensure_future(hub.run())
            for at, act in acts:
                self.loop.call_at(at, act)
            await asyncio.sleep(seconds)
            running.cancel()
            await asyncio.wait({running})
            await hub.close()
            return hub

        self.hub = play(main(), self.loop)
        return self.seen

    def times(self) -> list[float]:
        return [round(one.taken_at - EPOCH, 2) for one in self.seen]


class WholePlatform:
    """All samples from one source; a value that is an exception fails its field."""

    name = "redis"

    def __init__(self, stage: Stage, interval_s: float) -> None:
        self.fields = tuple(values())
        self.pace = Pace(interval_s, 2.0)
        self.asked = 0
        self._stage = stage
        self._last: dict[str, Sample[Any]] = {name: Sample() for name in self.fields}

    async def read(self) -> dict[str, Sample[Any]]:
        self.asked += 1
        at = self._stage.clock.now()
        for name, value in self._stage.now.items():
            is_bad = isinstance(value, Exception)
            self._last[name] = self._last[name].failed(str(value), at, 0.0) if is_bad else Sample.good(value, at, 0.0)
        return dict(self._last)

    async def close(self) -> None:
        return


def test_one_snapshot_each_interval_and_unknown_before_the_first_data() -> None:
    stage = Stage()
    seen = stage.run(4.55)
    assert stage.times() == [0.0, 0.0, 0.25, 1.25, 2.25, 3.25, 4.25]
    assert [one.seq for one in seen] == [1, 2, 3, 4, 5, 6, 7]
    assert {round(one.taken_at - (one.redis.value_at or 0), 2) for one in seen[2:]} == {0.25}
    assert seen[0].assessment.severity is Severity.UNKNOWN
    assert seen[0].assessment.findings == ()
    assert seen[1].assessment.severity is Severity.OK
    assert len(seen[-1].trends["fills_per_s"]) == 5


def test_kill_switch_is_shown_at_once() -> None:
    stage = Stage(interval_s=0.25)

    def engage() -> None:
        stage.now["kill_switch"] = KillSwitch(True, True, "test", "asha", EPOCH)

    seen = stage.run(3.0, (1.3, engage))
    halted = next(one for one in seen if one.kill_switch.value and one.kill_switch.value.is_engaged)
    assert halted.taken_at - EPOCH == 1.5
    assert halted.assessment.severity is Severity.P1


def test_failure_is_shown_at_once_and_cleared_a_second_after_recovery() -> None:
    stage = Stage(interval_s=0.25)

    def fail() -> None:
        stage.now["postgres"] = Unreachable("refused")

    def heal() -> None:
        stage.now["postgres"] = values()["postgres"]

    seen = stage.run(8.0, (1.3, fail), (4.3, heal))
    ill = [one.taken_at - EPOCH for one in seen if one.assessment.findings]
    assert round(ill[0], 2) == 1.5
    assert ill[-1] < 5.4
    cleared = next(one.taken_at - EPOCH for one in seen if one.taken_at - EPOCH > 4.3 and not one.assessment.findings)
    assert cleared < 5.6


def test_no_two_snapshots_are_closer_than_a_tenth_of_a_second() -> None:
    stage = Stage(interval_s=0.01)
    count = iter(range(100_000))

    async def restless() -> dict[str, Sample[Any]]:
        switch = KillSwitch(False, True, str(next(count)))
        return {"kill_switch": Sample.good(switch, stage.clock.now(), 0.0)}

    stage.source.read = restless  # type: ignore[method-assign]
    stage.run(4.95)
    times = stage.times()
    assert all(after - before > 0.099 for before, after in pairwise(times[1:]))
    assert 40 <= len(times) <= 51
    assert len(stage.hub.history.series("in_flight")) == 5


def test_slow_answer_of_redis_is_shown_when_it_comes() -> None:
    stage = Stage()
    swift = stage.source.read

    async def slowly() -> dict[str, Sample[Any]]:
        found = await swift()
        await asyncio.sleep(0.4)
        return {name: replace(sample, took_s=0.4) for name, sample in found.items()}

    stage.source.read = slowly  # type: ignore[method-assign]
    stage.run(3.0)
    assert {0.4, 1.4, 2.4} <= set(stage.times())


def test_job_is_shown_at_once_and_redis_is_asked_again() -> None:
    stage = Stage()

    def begin() -> None:
        stage.jobs = (a_job(Phase.RUNNING),)

    seen = stage.run(1.8, (1.25, begin))
    shown = next(one for one in seen if one.jobs)
    assert shown.taken_at - EPOCH < 1.5
    assert stage.source.asked == 3


def test_listener_that_fails_stops_nothing() -> None:
    stage = Stage()

    def listen(snapshot: Snapshot) -> None:
        stage.seen.append(snapshot)
        raise RuntimeError("no screen")

    stage.listener = listen
    assert len(stage.run(3.5)) == 6


def test_broker_out_of_reach_is_shown_at_once() -> None:
    stage = Stage(interval_s=0.25)

    def lose() -> None:
        stage.now["reach"] = reach(IBKR=False)

    seen = stage.run(3.0, (1.3, lose))
    assert next(one for one in seen if one.assessment.findings).taken_at - EPOCH == 1.5


def test_judge_that_fails_leaves_unknown_not_the_last_verdict() -> None:
    stage = Stage()

    def spoil() -> None:
        stage.now["venues"] = (42,)

    seen = stage.run(4.5, (2.5, spoil))
    assert seen[3].assessment.severity is Severity.OK
    assert seen[-1].assessment.severity is not Severity.OK
    assert len(seen) == 7


class SetClock(LoopClock):
    """A clock that somebody sets; the hub takes the step, as with SystemClock."""

    ahead_s = 0.0
    owed_s = 0.0

    def now(self) -> float:
        return super().now() + self.ahead_s

    def set_by(self, step_s: float) -> None:
        self.owed_s += step_s

    def take_step(self) -> float:
        step_s, self.owed_s = self.owed_s, 0.0
        self.ahead_s += step_s
        return step_s


@pytest.mark.parametrize("step_s", [-3600.0, 3600.0, -30.0])
def test_setting_the_clock_changes_no_age(step_s: float) -> None:
    stage = Stage()
    stage.clock = clock = SetClock(stage.loop)
    stage.take_step = clock.take_step

    def fail() -> None:
        stage.now["postgres"] = Unreachable("refused")

    seen = stage.run(12.0, (1.5, fail), (7.5, lambda: clock.set_by(step_s)))
    stepped = next(at for at, one in enumerate(seen) if abs(one.taken_at - EPOCH - stage.began(at)) > 1)
    assert stepped > 8
    for at, one in enumerate(seen):
        found = [] if at < 4 else [finding.subject for finding in one.assessment.findings]
        assert found in ([], ["Postgres"]), at
        age_s = one.postgres.age_s(one.taken_at)
        assert age_s is None or age_s == pytest.approx(stage.began(at) - min(1.0, int(stage.began(at))), abs=0.01)
        assert at < 4 or one.redis.is_live(one.taken_at)


def test_finding_clears_though_the_clock_was_set_back() -> None:
    stage = Stage(interval_s=0.25)
    stage.clock = clock = SetClock(stage.loop)
    stage.take_step = clock.take_step

    def fail() -> None:
        stage.now["postgres"] = Unreachable("refused")

    def heal() -> None:
        stage.now["postgres"] = values()["postgres"]

    seen = stage.run(8.0, (1.3, fail), (4.3, heal), (4.4, lambda: clock.set_by(-3600.0)))
    assert any(one.assessment.findings for one in seen)
    ill = [stage.began(at) for at, one in enumerate(seen) if one.assessment.findings]
    assert ill[-1] < 6.0


def test_system_clock_goes_on_steadily_until_the_step_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SystemClock, "_ahead_s", SystemClock._ahead_s)
    clock, wall = SystemClock(), time.time
    before = clock.now()
    monkeypatch.setattr(time, "time", lambda: wall() - 3600)
    assert 0 <= clock.now() - before < 60
    assert clock.take_step() == pytest.approx(-3600, abs=0.1)
    assert SystemClock().now() - before == pytest.approx(-3600, abs=60)
    assert clock.take_step() == 0.0


class SlowJobs:
    """Stands for a platform where everything hangs, its journals included."""

    def __init__(self) -> None:
        self.release = threading.Event()

    def __call__(self) -> tuple[Job, ...]:
        self.release.wait(2 * PATIENCE_S)
        return ()


def observer(listener: Callable[[Snapshot], None], jobs: Callable[[], tuple[Job, ...]] = tuple) -> Observer:
    def judge(snapshot: Snapshot) -> tuple[Assessment, float | None]:
        return Assessment(), None

    return Observer(lambda: Hub(SETTINGS, SystemClock(), [], judge, jobs, listener))


def test_observer_starts_and_stops() -> None:
    heard = threading.Event()
    watching = observer(lambda snapshot: heard.set())
    watching.start()
    assert heard.wait(PATIENCE_S)
    assert watching.stop(PATIENCE_S)
    assert not watching.is_running
    watching.call(lambda: None)


def test_stop_does_not_wait_for_what_hangs() -> None:
    jobs = SlowJobs()
    heard = threading.Event()
    watching = observer(lambda snapshot: heard.set(), jobs)
    watching.start()
    assert heard.wait(PATIENCE_S)
    started = time.monotonic()
    assert not watching.stop(0.2)
    assert time.monotonic() - started < PATIENCE_S
    jobs.release.set()
    assert watching.stop(PATIENCE_S)


class Ending(Exception):
    """Stands for a mistake of ours that ends the watch."""


def test_observer_tells_of_its_death_and_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[str] = []

    def make_hub() -> Hub:
        raise Ending("no loop")

    watching = Observer(make_hub, told.append)
    watching.start()
    watching._thread.join(PATIENCE_S)
    assert not watching.is_running
    assert told == ["Ending: no loop"]
    assert capsys.readouterr() == ("", "")


def test_hub_that_ends_is_told_and_one_that_is_stopped_is_not() -> None:
    told: list[str] = []

    async def end() -> None:
        raise Ending("in its midst")

    hub = Hub(SETTINGS, SystemClock(), [], lambda snapshot: (Assessment(), None), tuple, lambda snapshot: None)
    hub._publish_on = end  # type: ignore[method-assign]
    watching = Observer(lambda: hub, told.append)
    watching.start()
    watching._thread.join(PATIENCE_S)
    assert told == ["Ending: in its midst"]
    heard = threading.Event()
    quiet = Observer(
        lambda: Hub(SETTINGS, SystemClock(), [], lambda one: (Assessment(), None), tuple, lambda one: heard.set()),
        told.append,
    )
    quiet.start()
    assert heard.wait(PATIENCE_S) and quiet.stop(PATIENCE_S)
    assert len(told) == 1


def test_stop_before_start_is_harmless() -> None:
    assert observer(lambda snapshot: None).stop(0.1)
