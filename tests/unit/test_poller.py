"""Every source keeps its own time: interval, deadline, back-off, single flight."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from cockpit.errors import NO_ANSWER, TimedOut, Unreachable
from cockpit.model.sample import Sample
from cockpit.observe.pace import TICK_PHASE, Pace, phase
from cockpit.observe.poller import HEAD_START_S, Poller, Samples
from cockpit.observe.source import REDIS_FIELDS, ProbeSource, RedisSource
from tests.unit.virtual_time import EPOCH, LoopClock, VirtualLoop, play


class ScriptedProbe:
    """Answers as its script says, and notes when it was asked."""

    interval_s = 1.0
    deadline_s = 2.0

    def __init__(self, name: str, script: Callable[[int], Awaitable[Any]], loop: VirtualLoop) -> None:
        self.name = name
        self.asked: list[float] = []
        self.running = self.most_running = 0
        self.is_closed = False
        self._script = script
        self._loop = loop

    async def read(self) -> Any:
        self.asked.append(round(self._loop.time(), 3))
        self.running += 1
        self.most_running = max(self.running, self.most_running)
        try:
            return await self._script(len(self.asked))
        finally:
            self.running -= 1

    async def close(self) -> None:
        self.is_closed = True


class Bench:
    """A poller over scripted probes, in virtual time, with everything that it told."""

    def __init__(self) -> None:
        self.loop = VirtualLoop()
        self.clock = LoopClock(self.loop)
        self.told: list[tuple[float, str, str | None]] = []
        self.probes: list[ScriptedProbe] = []
        self.shared: tuple[str, ...] = ()
        self.host_of: Callable[[str], str] = lambda source: ""

    def probe(self, name: str, script: Callable[[int], Awaitable[Any]], **timing: float) -> ScriptedProbe:
        probe = ScriptedProbe(name, script, self.loop)
        for key, value in timing.items():
            setattr(probe, key, value)
        self.probes.append(probe)
        return probe

    def run(self, seconds: float, act: Callable[[Poller], Awaitable[None]] | None = None) -> Poller:
        async def main() -> Poller:
            sources = [ProbeSource(probe, self.clock, is_shared=probe.name in self.shared) for probe in self.probes]
            poller = Poller(sources, self.clock, self.note, host_of=self.host_of)
            running = asyncio.ensure_future(poller.run())
            if act is not None:
                await act(poller)
            await asyncio.sleep(seconds - self.loop.time())
            running.cancel()
            await poller.close()
            return poller

        return play(main(), self.loop)

    def note(self, before: Samples, after: Samples) -> None:
        self.told.extend((round(self.loop.time(), 3), name, sample.error) for name, sample in after.items())


async def answer(count: int) -> int:
    return count


async def refuse(count: int) -> int:
    raise Unreachable("connection refused")


async def hang(count: int) -> int:
    await asyncio.sleep(3600)
    return count


async def swallow_cancel(count: int) -> int:
    for _ in range(3):
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            continue
    return count


def test_healthy_probe_is_asked_each_interval_without_drift() -> None:
    bench = Bench()

    async def slowly(count: int) -> int:
        await asyncio.sleep(0.3)
        return count

    probe = bench.probe("postgres", slowly)
    poller = bench.run(4.5)
    assert probe.asked == [0.0, 1.0, 2.0, 3.0, 4.0]
    sample = poller.samples["postgres"]
    assert (sample.value, sample.value_at, sample.error) == (5, EPOCH + 4.0, None) or sample.value == 4
    assert sample.took_s == pytest.approx(0.3)


def test_failure_backs_off_and_keeps_the_last_good_value() -> None:
    bench = Bench()
    probe = bench.probe("postgres", lambda count: answer(count) if count == 1 else refuse(count))
    poller = bench.run(8.9)
    assert probe.asked == [0.0, 1.0, 2.0, 3.0, 4.5, 6.0, 7.5]
    sample = poller.samples["postgres"]
    assert (sample.value, sample.value_at, sample.error) == (1, EPOCH, "connection refused")
    assert sample.tried_at == EPOCH + 7.5


@pytest.mark.parametrize("broken", [refuse, hang])
@settings(deadline=None)
@given(healed_at=some.floats(2.0, 40.0))
def test_recovery_is_seen_within_three_seconds(broken: Callable[[int], Awaitable[int]], healed_at: float) -> None:
    bench = Bench()

    def script(count: int) -> Awaitable[int]:
        now = bench.loop.time()
        return answer(count) if now < 1.5 or now >= healed_at else broken(count)

    bench.probe("redis", script)
    bench.run(healed_at + 4)
    back = next(at for at, _, error in bench.told if error is None and at >= healed_at)
    assert back - healed_at < 3.0


@pytest.mark.parametrize("broken", [refuse, hang])
@settings(deadline=None)
@given(broken_at=some.floats(0.5, 5.0))
def test_failure_is_seen_within_three_seconds(broken: Callable[[int], Awaitable[int]], broken_at: float) -> None:
    bench = Bench()
    bench.probe("redis", lambda count: answer(count) if bench.loop.time() < broken_at else broken(count))
    bench.run(broken_at + 4)
    assert next(at for at, _, error in bench.told if error) - broken_at <= 2.51


def test_hang_costs_nobody_else_anything() -> None:
    bench = Bench()
    bench.probe("kubernetes", hang)
    healthy = bench.probe("postgres", answer)
    bench.run(10.5)
    beats = [second + phase(1) for second in range(10)]
    assert healthy.asked == [0.0, *(pytest.approx(beat, abs=0.002) for beat in beats)]


class OneTick:
    """Redis that takes its time."""

    def __init__(self, takes_s: float) -> None:
        self._takes_s = takes_s

    async def tick(self) -> dict[str, Sample[Any]]:
        await asyncio.sleep(self._takes_s)
        return dict.fromkeys(REDIS_FIELDS, Sample.good(1, EPOCH, self._takes_s))

    def late(self) -> str:
        return ""

    async def close(self) -> None:
        return


@pytest.mark.parametrize(
    ("takes_s", "drawn_at_s", "others_at_s"),
    [(0.1, None, 0.1), (0.1, 0.3, 0.3), (0.1, 0.8, HEAD_START_S), (1.5, None, HEAD_START_S)],
)
def test_the_first_answer_of_redis_is_drawn_before_others_are_asked(
    takes_s: float, drawn_at_s: float | None, others_at_s: float
) -> None:
    bench = Bench()
    other = bench.probe("postgres", lambda turn: asyncio.sleep(0, turn))

    async def main() -> None:
        redis = RedisSource(OneTick(takes_s), 1.0, 2.0)
        asked = [redis, ProbeSource(other, bench.clock)]
        poller = Poller(asked, bench.clock, bench.note, is_shown=drawn_at_s is not None)
        if drawn_at_s is not None:
            bench.loop.call_later(drawn_at_s, poller.go_on)
        running = asyncio.ensure_future(poller.run())
        await asyncio.sleep(0.9)
        running.cancel()
        await poller.close()

    play(main(), bench.loop)
    assert other.asked[0] == pytest.approx(others_at_s)


def test_sources_are_asked_at_once_and_then_one_after_the_other() -> None:
    bench = Bench()
    probes = [bench.probe(name, answer) for name in ("redis", "postgres", "reach", "docker", "kubernetes")]
    bench.run(4.5)
    assert all(probe.asked[0] == 0.0 for probe in probes)
    assert all(probe.asked[1] <= 1.0 for probe in probes)
    parts = sorted([*(probe.asked[2] % 1.0 for probe in probes), TICK_PHASE, 1.0])
    assert all(later - earlier > 0.015 for earlier, later in pairwise(parts))


def test_sources_whose_times_nobody_looks_at_share_one_turn() -> None:
    bench = Bench()
    probes = [bench.probe(name, answer) for name in ("redis", "postgres", "reach", "databases", "dump")]
    probes[3].interval_s = 2.0
    bench.shared = ("postgres", "databases", "dump")
    bench.run(6.5)
    turn = [second + phase(1) for second in range(1, 6)]
    assert probes[1].asked[-4:] == probes[4].asked[-4:] == [pytest.approx(at, abs=0.002) for at in turn[-4:]]
    assert set(probes[3].asked[1:]) < set(probes[1].asked)
    assert probes[2].asked[-1] % 1.0 == pytest.approx(phase(2), abs=0.002)


def test_overdue_call_is_reported_before_its_deadline_and_still_taken() -> None:
    bench = Bench()

    async def late(count: int) -> int:
        await asyncio.sleep(1.9 if count == 2 else 0.0)
        return count

    bench.probe("redis", late)
    bench.run(3.2)
    assert bench.told[:3] == [(0.0, "redis", None), (2.5, "redis", NO_ANSWER), (2.9, "redis", None)]


def test_first_answer_may_take_its_whole_deadline() -> None:
    bench = Bench()

    async def cold(count: int) -> int:
        await asyncio.sleep(3.5)
        return count

    bench.probe("kubernetes", cold, deadline_s=4.0)
    bench.run(3.9)
    assert bench.told == [(3.5, "kubernetes", None)]


def test_calls_that_will_not_end_do_not_pile_up() -> None:
    bench = Bench()
    probe = bench.probe("kubernetes", swallow_cancel)
    poller = bench.run(30.0)
    assert probe.most_running == 2
    assert len(probe.asked) == 2
    assert poller.samples["kubernetes"].error == NO_ANSWER


async def late_by_itself(count: int) -> int:
    """As a client does whose own limit may come before the poller's or after it."""
    await asyncio.sleep((1.2, 2.0)[count % 2])
    raise TimedOut(f"it did not answer within {(1.2, 2.0)[count % 2]} s")


@pytest.mark.parametrize("silent", [hang, late_by_itself, swallow_cancel], ids=lambda one: one.__name__)
def test_one_silence_has_one_sentence_whichever_limit_ends_an_attempt(
    silent: Callable[[int], Awaitable[int]],
) -> None:
    bench = Bench()
    bench.probe("postgres", lambda count: answer(count) if count == 1 else silent(count), deadline_s=4.0)
    bench.run(40.0)
    assert {error for _, _, error in bench.told[1:]} == {NO_ANSWER} and len(bench.told) > 20


def test_a_resolver_that_hangs_is_named_when_the_first_question_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    asked_at: list[float] = []

    def unresolved(host: str) -> str:
        """It is asked by the first call, and has had its time where the next comes half a second later."""
        if host:
            asked_at.append(bench.loop.time())
        return "name resolution hangs" if asked_at and bench.loop.time() - asked_at[0] > 0.5 else ""

    monkeypatch.setattr("cockpit.observe.poller.unresolved", unresolved)
    bench.host_of = lambda source: "db.internal"
    bench.probe("postgres", lambda count: answer(count) if count < 3 else hang(count))
    bench.run(5.0)
    errors = [(at, error) for at, _, error in bench.told if error]
    assert errors[0] == (3.5, "name resolution hangs")
    assert asked_at[0] == pytest.approx(2.75), "an answer that comes in time costs no lookup"


def test_poke_asks_at_once() -> None:
    bench = Bench()
    probe = bench.probe("redis", answer)

    async def act(poller: Poller) -> None:
        await asyncio.sleep(0.4)
        poller.poke("redis")
        poller.poke("nobody")

    bench.run(1.2, act)
    assert probe.asked == [0.0, 0.4, 1.0]


def test_bug_in_a_probe_is_an_error_of_its_sample() -> None:
    bench = Bench()

    async def bug(count: int) -> int:
        return 1 // 0

    async def cancels_itself(count: int) -> int:
        raise asyncio.CancelledError

    bench.probe("dump", bug)
    bench.probe("registry", cancels_itself)
    poller = bench.run(5.0)
    why = "ZeroDivisionError: integer division or modulo by zero"
    assert poller.samples["dump"].error == f"its answer is not understood ({why})"
    assert poller.samples["registry"].error == "the call was cancelled"
    assert all(len(probe.asked) > 3 for probe in bench.probes)


def test_everything_is_closed_even_if_one_hangs() -> None:
    bench = Bench()
    probes = [bench.probe("a", answer), bench.probe("b", answer)]

    async def never() -> None:
        await asyncio.sleep(3600)

    probes[0].close = never  # type: ignore[method-assign]
    bench.run(1.0)
    assert probes[1].is_closed
    assert bench.loop.is_closed()


def test_redis_gives_seven_samples_and_fails_all_of_them() -> None:
    loop = VirtualLoop()
    clock = LoopClock(loop)

    class Wall:
        count = 0

        async def tick(self) -> dict[str, Sample[Any]]:
            self.count += 1
            if self.count > 1:
                await asyncio.sleep(3600)
            return {field: Sample.good(1, clock.now(), 0.0) for field in RedisSource.fields}

        def late(self) -> str:
            return "no connection in time"

        async def close(self) -> None:
            return

    async def main() -> Poller:
        poller = Poller([RedisSource(Wall(), 1.0, 2.0)], clock, lambda before, after: None)
        running = asyncio.ensure_future(poller.run())
        await asyncio.sleep(2.6)
        running.cancel()
        return poller

    samples = play(main(), loop).samples
    assert set(samples) == set(RedisSource.fields)
    assert {(sample.value, sample.error) for sample in samples.values()} == {(1, "no connection in time")}


def test_pace_is_a_value() -> None:
    pace = Pace(1.0, 4.5)
    assert (pace.limit_s, pace.overdue_s) == (4.5, 4.5)
    assert pace.after(True).limit_s == 2.5
    assert pace.after(True).after(False).limit_s == 1.5
    assert pace.after(False).after(True).failures == 0
    assert Pace(1.0, 3.5, is_self_bounded=True).after(True).overdue_s == 3.5


def test_what_was_given_up_is_not_taken_when_it_comes_after_all() -> None:
    bench = Bench()

    async def deaf(count: int) -> int:
        if count == 2:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(3600)
            await asyncio.sleep(0.2)
        return count

    probe = bench.probe("postgres", deaf)
    poller = bench.run(6.0)
    assert probe.asked[:3] == [0.0, 1.0, 3.0], "another loop asks on while the first attempt still hangs"
    assert [at for at, _, error in bench.told if error] == [2.5, 3.0]
    assert poller.samples["postgres"].value == len(probe.asked)
    assert probe.most_running == 2


def test_a_call_that_is_cancelled_from_elsewhere_is_a_failure_and_asked_again() -> None:
    bench = Bench()

    async def cancelled(count: int) -> int:
        if count == 1:
            raise asyncio.CancelledError
        return count

    bench.probe("postgres", cancelled)
    poller = bench.run(2.0)
    assert [error for _, _, error in bench.told][:2] == ["the call was cancelled", None]
    assert poller.samples["postgres"].error is None
