"""When a halt counts as proven: look by look, by Redis' clock."""

from __future__ import annotations

from typing import Any

import pytest

from actions.kill_switch.evidence import Evidence, RiskyOrder, VenueCount
from actions.kill_switch.intent import Write
from actions.kill_switch.proofs import (
    DURABLE,
    FLOWING,
    OPEN_ORDERS,
    READ_BACK,
    STOPPED,
    EngageProofs,
    KillSwitchProofs,
    ReleaseProofs,
)
from cockpit.model.job import JobStep, StepState

ACT = 1_800_000_000_000
WRITE = Write(True, "asha@jump1", "outage", ACT - 3)
KEY = {"enabled": "true", "by": "asha@jump1", "reason": "outage", "ts": str(ACT - 3)}
START = Write(False, "asha@jump1", "all well", ACT - 3)
START_KEY = {"enabled": "false", "by": "asha@jump1", "reason": "all well", "ts": str(ACT - 3)}


def look(after_ms: int, **changes: Any) -> Evidence:
    venues = (VenueCount("IBKR", 0, ACT + after_ms, "up"),)
    fields: dict[str, Any] = {"switch": KEY, "durable": "flushed", "incoming": 12, "halted": 12, "venues": venues}
    return Evidence(ACT + after_ms, **{**fields, **changes})


def proof(proofs: KillSwitchProofs, evidence: Evidence, name: str) -> JobStep:
    return next(step for step in proofs.judge(evidence) if step.name == name)


def test_all_hold_after_three_quiet_seconds_of_refused_orders() -> None:
    proofs = EngageProofs(WRITE, ACT)
    early = proofs.judge(look(500))
    assert [step.state for step in early] == ["done", "done", "running", "running"]
    late = proofs.judge(look(3100))
    assert [step.name for step in late] == [READ_BACK, DURABLE, STOPPED, OPEN_ORDERS]
    assert all(step.state is StepState.DONE for step in late)
    assert late[0].took_s == 0.5
    assert late[2].took_s == 3.1
    assert late[2].detail == "24 arrived, 24 refused"


def test_an_order_in_flight_delays_and_is_named() -> None:
    proofs = EngageProofs(WRITE, ACT)
    passed = (RiskyOrder(ACT + 200, "o-1 BUY 5 AAPL"),)
    assert proof(proofs, look(300, risky=passed), STOPPED).state is StepState.RUNNING
    assert proof(proofs, look(3100), STOPPED).state is StepState.RUNNING
    held = proof(proofs, look(3300), STOPPED)
    assert held.state is StepState.DONE
    assert "the last one passed 0.20 s after the halt" in held.detail


def test_orders_that_still_pass_are_said_aloud() -> None:
    proofs = EngageProofs(WRITE, ACT)
    found = proof(proofs, look(4000, risky=(RiskyOrder(ACT + 3900, "o-9 BUY 5 AAPL"),)), STOPPED)
    assert found.state is StepState.FAILED
    assert "ORDERS STILL PASS: 1 so far, o-9 BUY 5 AAPL 3.9 s after the halt" in found.detail


def test_silence_is_no_quick_proof() -> None:
    proofs = EngageProofs(WRITE, ACT)
    assert proof(proofs, look(4000, incoming=0, halted=0), STOPPED).state is StepState.RUNNING
    held = proof(proofs, look(8100, incoming=0, halted=0), STOPPED)
    assert (held.state, held.detail) == (StepState.DONE, "none validated, but none arrived in 8 s to prove it by")


def test_orders_that_nobody_judges_prove_nothing() -> None:
    found = proof(EngageProofs(WRITE, ACT), look(9000, halted=0), STOPPED)
    assert (found.state, "the risk manager is behind" in found.detail) == (StepState.UNKNOWN, True)


def test_an_unreadable_stream_proves_nothing() -> None:
    found = proof(EngageProofs(WRITE, ACT), look(9000, unread={"validated": "NOPERM"}), STOPPED)
    assert found.state is StepState.UNKNOWN


@pytest.mark.parametrize("label", ["incoming", "rejected"])
def test_orders_that_cannot_be_counted_prove_nothing(label: str) -> None:
    proofs = EngageProofs(WRITE, ACT)
    unread = {label: "NOPERM No permissions to access a key"}
    assert proof(proofs, look(3100, unread=unread), STOPPED).state is StepState.UNKNOWN
    found = proof(proofs, look(9000, incoming=0, halted=0, unread=unread), STOPPED)
    assert (found.state, f"orders.{label}: NOPERM" in found.detail) == (StepState.UNKNOWN, True)
    late = look(9500, unread=unread, risky=(RiskyOrder(ACT + 9400, "o-9"),))
    assert proof(proofs, late, STOPPED).state is StepState.FAILED, "what still passes is seen all the same"


def test_a_key_that_went_missing_fails() -> None:
    proofs = EngageProofs(WRITE, ACT)
    assert proof(proofs, look(500), READ_BACK).state is StepState.DONE
    found = proof(proofs, look(900, switch={}), READ_BACK)
    assert (found.state, found.detail) == (StepState.FAILED, "the key is missing: trading is enabled")


def test_a_halt_that_somebody_else_set_anew_still_holds() -> None:
    other = {"enabled": "true", "by": "risk-manager", "reason": "drawdown", "ts": str(ACT + 100)}
    found = proof(EngageProofs(WRITE, ACT), look(900, switch=other), READ_BACK)
    assert (found.state, "by risk-manager" in found.detail) == (StepState.DONE, True)


def test_a_halt_that_somebody_released_does_not_hold() -> None:
    other = {"enabled": "false", "by": "eve@jump1", "ts": str(ACT + 100)}
    assert proof(EngageProofs(WRITE, ACT), look(900, switch=other), READ_BACK).state is StepState.FAILED


def test_what_is_not_durable_is_said_in_the_end() -> None:
    proofs = EngageProofs(WRITE, ACT)
    words = "memory only: a crash loses it"
    assert proof(proofs, look(900, durable=None, durability=words), DURABLE).state is StepState.RUNNING
    found = proof(proofs, look(6000, durable=None, durability=words), DURABLE)
    assert (found.state, words in found.detail) == (StepState.FAILED, True)


def test_open_orders_are_listed_when_they_do_not_fall() -> None:
    proofs = EngageProofs(WRITE, ACT)
    resting = (VenueCount("IBKR", 3, ACT + 5500, "up"),)
    assert proof(proofs, look(4000, venues=resting), OPEN_ORDERS).state is StepState.RUNNING
    found = proof(proofs, look(5600, venues=resting), OPEN_ORDERS)
    assert (found.state, found.detail) == (StepState.DONE, "NOT cancelled, still open: IBKR 3")


def test_a_broker_that_is_down_is_named_beside_what_others_hold() -> None:
    """Nobody here can count what it holds: that is known at once, and does not put the halt itself in doubt."""
    down, lost = VenueCount("IBKR", 2, ACT + 2000, "down"), VenueCount("ZERODHA", None, ACT + 2000, "down")
    held = "IBKR IS DOWN, open orders unknown, 2 last told: CALL THEM; "
    proofs = EngageProofs(WRITE, ACT, ["IBKR"])
    found = proof(proofs, look(2100, venues=(down, VenueCount("PAPER", 0, ACT + 2000, "up"))), OPEN_ORDERS)
    assert (found.state, found.detail) == (StepState.DONE, f"{held}none open: PAPER 0")
    resting = (down, VenueCount("PAPER", 4, ACT + 5500, "up"))
    assert proof(proofs, look(4000, venues=resting), OPEN_ORDERS).state is StepState.RUNNING
    assert proof(proofs, look(5600, venues=resting), OPEN_ORDERS).detail == f"{held}NOT cancelled, still open: PAPER 4"
    only = proof(proofs, look(2100, venues=(lost, down)), OPEN_ORDERS)
    assert only.detail.startswith("ZERODHA IS DOWN, open orders unknown: CALL THEM; IBKR IS DOWN")
    old = proof(proofs, look(5600, venues=(VenueCount("IBKR", 2, ACT - 9000, "down"),)), OPEN_ORDERS)
    assert old.state is StepState.UNKNOWN, "a report from before the halt says nothing about after it"


@pytest.mark.parametrize("reported", [(VenueCount("IBKR", 0, ACT + 5500, "up"),), ()])
def test_a_configured_broker_that_does_not_report_is_missed(reported: tuple[VenueCount, ...]) -> None:
    proofs = EngageProofs(WRITE, ACT, ["IBKR", "ZERODHA"])
    assert proof(proofs, look(2000, venues=reported), OPEN_ORDERS).state is StepState.RUNNING
    found = proof(proofs, look(5600, venues=reported), OPEN_ORDERS)
    assert found.state is StepState.UNKNOWN
    assert "ZERODHA (does not report): call the broker" in found.detail


def test_the_act_is_found_or_not() -> None:
    proofs = EngageProofs(WRITE, ACT)
    assert proofs.act(look(100))[0] is StepState.DONE
    assert proofs.act(look(100, switch={**KEY, "ts": "1"}))[0] is StepState.FAILED
    assert proofs.act(look(100, switch={}))[0] is StepState.FAILED


def test_release_is_proven_by_an_order_that_passes() -> None:
    proofs = ReleaseProofs(START, ACT)
    first = proof(proofs, look(300, switch=START_KEY), FLOWING)
    assert (first.state, first.detail) == (StepState.RUNNING, "12 arrived, none validated yet")
    steps = proofs.judge(look(600, switch=START_KEY, risky=(RiskyOrder(ACT + 400, "o-1"),)))
    assert all(step.state is StepState.DONE for step in steps)
    assert steps[2].detail == "the first 0.40 s after the release"


def test_a_release_that_the_risk_manager_takes_back_fails() -> None:
    other = {"enabled": "true", "by": "risk-manager", "reason": "drawdown"}
    found = proof(ReleaseProofs(START, ACT), look(600, switch=other), READ_BACK)
    assert (found.state, found.detail) == (StepState.FAILED, "enabled true, by risk-manager, drawdown")
