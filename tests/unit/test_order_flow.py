"""What verifying the order flow says of a platform that is halted, and of orders that a dead broker holds."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from actions.order_flow import in_flight, verify
from actions.step import Stage
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


def flowing(label: str, rate: float) -> Any:
    return replace(stream(f"orders.{label}", label), rate_per_s=rate, newest_ms=NOW_MS - (100 if rate else 60_000))


@pytest.mark.parametrize(
    ("incoming", "rejected", "switch", "state", "words"),
    [
        (40.0, 40.0, HALTED, DONE, "held by the halt, as it should be: 40.0/s arrive, 40.0/s are refused"),
        (40.0, 0.0, HALTED, RUNNING, "trading is halted, but the 40.0/s that arrive are not refused either"),
        (0.0, 0.0, HALTED, RUNNING, "trading is halted, and no order arrives to see more by"),
        (40.0, 40.0, replace(HALTED, is_engaged=False), RUNNING, "0.0/s, the newest 60.0 s old"),
        (40.0, 40.0, None, RUNNING, "0.0/s, the newest 60.0 s old"),
    ],
)
def test_a_flow_that_stands_still(
    incoming: float, rejected: float, switch: KillSwitch | None, state: StepState, words: str
) -> None:
    rates = {"incoming": incoming, "validated": 0.0, "rejected": rejected, "fills": 0.0}
    streams = flow(**{label: flowing(label, rate) for label, rate in rates.items()})
    at = stage(flow=streams, kill_switch=switch or HALTED)
    if switch is None:
        at = replace(at, snapshot=replace(at.snapshot, kill_switch=Sample()))
    for proof in verify.judge(at)[:2]:
        assert (proof.state, words in proof.detail) == (state, True), proof


@pytest.mark.parametrize(("counted_s", "state"), [(0.047, RUNNING), (0.5, DONE), (None, DONE)])
def test_one_burst_is_no_rate(counted_s: float | None, state: StepState) -> None:
    at = stage(flow=replace(flow(), counted_s=counted_s))
    for proof in verify.judge(at)[:2]:
        assert proof.state is state, proof
        assert ("/s" in proof.detail) is (state is DONE)


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
