"""What verifying the order flow says of a platform that is halted, and of orders that a dead broker holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from actions.order_flow import asking, counting, in_flight, verify
from actions.order_flow.counting import Rate
from actions.step import Stage
from cockpit.clients.resp import Command, Reply, ReplyError
from cockpit.model.job import StepState
from cockpit.model.sample import Sample
from cockpit.model.states import KillSwitch
from tests.unit.healthy import NOW, NOW_MS, SETTINGS, flow, snapshot, stream, venue, venues
from tests.unit.test_journal import WHO

CLOCK = SimpleNamespace(now=lambda: NOW)
DONE, RUNNING = StepState.DONE, StepState.RUNNING
HALTED = KillSwitch(is_engaged=True, is_present=True, by="asha@jump1", reason="test", since=NOW - 60)


def stage(facts: dict[str, Any] | None = None, **samples: Any) -> Stage:
    found = snapshot(**samples)
    plan = verify.plan(SETTINGS, WHO, {}, found, NOW)
    return Stage(SETTINGS, CLOCK, WHO, plan, found, facts or {}, None, lambda *_: None)  # type: ignore[arg-type]


def standing(label: str, rate: float) -> Any:
    return replace(stream(f"orders.{label}", label), newest_ms=NOW_MS - (100 if rate else 60_000))


@pytest.mark.parametrize(
    ("incoming", "rejected", "switch", "state", "words"),
    [
        (40.0, 40.0, HALTED, DONE, "held by the halt, as it should be: 40.0/s arrive, 40.0/s are refused"),
        (40.0, 0.0, HALTED, RUNNING, "trading is halted, but the 40.0/s that arrive are not refused either"),
        (0.0, 0.0, HALTED, RUNNING, "trading is halted, and no order arrives to see more by"),
        (40.0, 40.0, replace(HALTED, is_engaged=False), RUNNING, "0.0/s over 2.0 s, the newest 60.0 s old"),
        (40.0, 40.0, None, RUNNING, "0.0/s over 2.0 s, the newest 60.0 s old"),
    ],
)
def test_a_flow_that_stands_still(
    incoming: float, rejected: float, switch: KillSwitch | None, state: StepState, words: str
) -> None:
    rates = {"incoming": incoming, "validated": 0.0, "rejected": rejected, "fills": 0.0}
    streams = flow(**{label: standing(label, rate) for label, rate in rates.items()})
    at = stage(flow=streams, kill_switch=switch or HALTED)
    if switch is None:
        at = replace(at, snapshot=replace(at.snapshot, kill_switch=Sample()))
    counted = {label: Rate(rate, 2.0) for label, rate in rates.items()}
    for proof in (verify.flowing(at, streams, label, counted) for label in verify.VERIFIED):
        assert (proof.state, words in proof.detail) == (state, True), proof


def test_what_cannot_be_counted_is_not_known() -> None:
    assert verify.flowing(stage(), flow(), "fills", {}).state is StepState.UNKNOWN


class FakeRedis:
    """Holds entries of one stream, and takes any other for something else."""

    def __init__(self, key: str, came_ms: Sequence[int]) -> None:
        self._key, self._came_ms = key, came_ms

    async def ask(self, commands: Sequence[Command]) -> list[Reply]:
        return [self._range(*command) for command in commands]

    def drop(self) -> None:
        """Nothing is open."""

    def _range(self, name: str, key: str, first: str, last: str, word: str, most: int) -> Reply:
        assert (name, word) == ("XRANGE", "COUNT")
        if key != self._key:
            return ReplyError("WRONGTYPE")
        return [[b"%d-0" % at, [b"x", b"y"]] for at in self._came_ms if int(first) <= at <= int(last)][:most]


async def rates(
    monkeypatch: pytest.MonkeyPatch, since_s: float | None, *ago_s: float, depth: int = 10_000
) -> Mapping[str, Rate] | None:
    """Of a stream in which entries came so long ago, looked at since then."""
    came_ms = sorted(NOW_MS - round(at * 1000) for at in ago_s)
    monkeypatch.setattr(asking, "RedisLink", lambda part: FakeRedis("orders.validated", came_ms))
    facts = {} if since_s is None else {counting.SINCE: NOW_MS - round(since_s * 1000)}
    return await counting.rates(stage(facts), flow(validated=stream("orders.validated", "validated", depth=depth)))


async def test_orders_are_counted_by_when_they_came(monkeypatch: pytest.MonkeyPatch) -> None:
    bursts = [at / 10 for at in range(1, 100, 2) for _ in range(4)]  # four each 0.2 s
    assert await rates(monkeypatch, 0.9, *bursts) is None, "one burst more or less is too much of it"
    for since_s, over_s in ((1.0, 1.0), (2.0, 2.0), (600.0, 3.0), (None, 3.0)):
        assert await rates(monkeypatch, since_s, *bursts) == {"validated": Rate(20.0, over_s)}
    assert await rates(monkeypatch, 2.0, 2.5, 60.0) == {"validated": Rate(0.0, 2.0)}, "before the look began"


async def test_of_more_than_are_read_and_of_what_was_dropped_the_span_is_theirs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    many = [at / 1000 for at in range(3000)]
    for depth in (3000, 1000):  # more than are read; no older ones left
        found = await rates(monkeypatch, 3.0, *many[:depth], depth=depth)
        assert found is not None
        assert found["validated"] == (pytest.approx(1000.0, rel=0.01), pytest.approx(1.0, rel=0.01))


async def test_as_long_as_nothing_is_counted_no_rate_is_told() -> None:
    for proof in (await verify.judge(stage({counting.SINCE: NOW_MS - 600})))[:2]:
        assert (proof.state, proof.detail) == (RUNNING, "its orders are being counted")


@pytest.mark.parametrize(
    ("at", "state"),
    [
        ({"IBKR": 2}, DONE),
        ({"IBKR": 1}, RUNNING),  # more in flight than were looked at
        ({"IBKR": 1, "ZERODHA": 1}, RUNNING),  # that broker is well: its order is stuck
        ({"IBKR": 200, "?": 1}, RUNNING),
        ({}, RUNNING),
    ],
)
def test_old_orders_in_flight_are_explained_only_by_a_dead_broker(at: dict[str, int], state: StepState) -> None:
    stuck = replace(flow(), in_flight=2, oldest_in_flight_s=80.0)
    down = venues(venue("IBKR", "down"), venue("ZERODHA"))
    found = in_flight.judge(stage({in_flight.FACT: at}, flow=stuck, venues=down))
    assert found.state is state, found
    assert in_flight.judge(stage({in_flight.FACT: at}, flow=stuck, venues=venues(venue("IBKR")))).state is RUNNING
    young = replace(stuck, oldest_in_flight_s=0.5)
    assert in_flight.judge(stage({}, flow=young)).state is DONE
