"""What engaging and releasing would do, judged on a snapshot alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest
from msgspec import structs

from actions.kill_switch import engage, reconciled, release
from actions.kill_switch.intent import Write, stamp_ms
from actions.reroute import away
from actions.script import book
from actions.script.book import held
from cockpit.clients.ledger import Filled, Ledger
from cockpit.clients.redis_facts import time_ms
from cockpit.model.audit import Operator
from cockpit.model.latch import Hold, Latch
from cockpit.model.plan import Check, Confirmation, Danger, Plan, Verdict
from cockpit.model.sample import Sample
from cockpit.model.snapshot import Snapshot
from cockpit.model.states import KillSwitch, SwitchRecord
from cockpit.model.world import World
from tests.unit.healthy import (
    NOW,
    SETTINGS,
    dead,
    feed,
    feeds,
    flow,
    group,
    reach,
    redis,
    risk,
    snapshot,
    stream,
    venue,
    venues,
)

WHO = Operator("asha", "root", "jump1", None, None)
ENGAGED = KillSwitch(True, True, "broker outage", "asha@jump1", NOW - 42)


def engaging(shown: Snapshot, settings: Any = SETTINGS, **parameters: str) -> Plan:
    return engage.plan(settings, WHO, parameters, shown, NOW)


def releasing(changed_ledger: Ledger | None = None, latch: Latch | None = None, **changed: Any) -> Plan:
    drained = flow()
    calm = type(drained)(drained.streams, in_flight=0, oldest_in_flight_s=None)
    shown = snapshot(**{"kill_switch": ENGAGED, "flow": calm, **changed})
    ledger = changed_ledger or Ledger(1, None, {one: qty or 0.0 for one, qty in held(shown).items()})
    with patch.object(book, "read_ledger", lambda _: ledger):
        return release.plan(SETTINGS, WHO, {}, replace(shown, latch=latch), NOW)


def check(plan: Plan, name: str) -> Check:
    return next(each for each in plan.checks if each.name == name)


def test_engage_shows_the_exact_command_and_the_runbooks_line() -> None:
    plan = engaging(snapshot(), reason="broker outage")
    (step,) = plan.steps
    words = "HSET policy:kill_switch enabled true reason 'broker outage' by asha@jump1 ts"
    assert step.command.startswith(words)
    assert step.by_hand == "redis-cli HSET policy:kill_switch enabled true"
    assert (plan.danger, plan.phrase, plan.needs_reason) == (Danger.PROTECT, None, False)
    assert "50 orders/s stop" in plan.impact[0]
    assert plan.impact[1] == "open orders stay: IBKR 3, ZERODHA 3, PAPER 3"
    assert "halted is not cancelled is not flat" in plan.impact[2]


def test_a_plan_names_no_number_for_a_broker_that_is_down() -> None:
    lost = venue("IBKR", "down", open_orders=None, open_orders_last_told=0)
    shown = snapshot(venues=venues(lost))
    assert engaging(shown).impact[1] == "open orders stay: IBKR unknown, 0 last told; ZERODHA 3; PAPER 3"
    moved = away.plan(SETTINGS, WHO, {"venue": "IBKR"}, shown, NOW)
    assert moved.impact[0].startswith("how many orders are open at IBKR is unknown, 0 last told: they stay there")


def test_figures_of_the_past_are_called_so() -> None:
    plan = engaging(snapshot(flow=dead(value=flow()), venues=dead(value=venues()), risk=dead(value=risk())))
    assert plan.impact[0] == "as last known, 6 s ago: nothing newer could be read"
    assert "50 orders/s stop" in plan.impact[1] and not any(
        "last known" in line for line in engaging(snapshot()).impact
    )


def test_what_is_written_is_what_was_shown() -> None:
    plan = engaging(snapshot(), reason="it's on fire; rm -rf /")
    write = engage.write(WHO, plan, Confirmation(plan.digest), int(NOW * 1000))
    shown = plan.steps[0].command.replace("<the moment it is sent, in ms>", str(int(NOW * 1000)))
    assert write.command("policy:kill_switch") == shown


def test_evidence_that_ages_does_not_change_the_digest_but_the_reason_does() -> None:
    plan = engaging(snapshot())
    assert engaging(snapshot(redis=dead())).digest == plan.digest
    assert engage.plan(SETTINGS, WHO, {}, snapshot(), NOW + 5).digest == plan.digest
    assert engaging(snapshot(), reason="other").digest != plan.digest


@pytest.mark.parametrize(
    ("changed", "name", "words"),
    [
        ({"redis": redis(role="replica")}, "role", "READONLY"),
        ({"redis": redis(refuses_writes=True)}, "writes accepted", "MISCONF"),
        ({"redis": redis(used_bytes=256 * 2**20)}, "writes accepted", "OOM"),
        ({"redis": redis(is_loading=True)}, "Redis answers", "loading"),
        ({"redis": redis(is_aof_on=False, is_save_on=False)}, "durable", "NOT durable"),
        ({"redis": redis(is_aof_on=False)}, "durable", "only save points"),
        ({"redis": redis(policy="allkeys-lru")}, "not evicted", "may evict"),
        ({"redis": dead()}, "Redis answers", "connection refused"),
        ({"redis": Sample()}, "Redis answers", "not asked yet"),
        ({"kill_switch": dead()}, "kill switch", "connection refused"),
        ({"kill_switch": ENGAGED}, "kill switch", "already engaged for 42 s by asha@jump1: broker outage"),
    ],
)
def test_engage_warns_of_everything_and_is_forbidden_by_nothing(changed: dict[str, Any], name: str, words: str) -> None:
    plan = engaging(snapshot(**changed))
    found = check(plan, name)
    assert found.verdict is Verdict.WARN
    assert words in found.detail
    assert plan.is_allowed


def test_engage_with_nothing_known_at_all_is_allowed() -> None:
    plan = engaging(Snapshot(0, NOW, World.SANDBOX, "test"))
    assert plan.is_allowed
    assert all(each.verdict is Verdict.WARN for each in plan.checks)


def test_every_check_of_redis_carries_the_age_of_its_evidence() -> None:
    assert all(each.evidence_age_s == pytest.approx(0.3) for each in engaging(snapshot()).checks)


def test_a_recording_cannot_be_acted_on() -> None:
    replay = structs.replace(SETTINGS, world=World.REPLAY)
    assert not engaging(snapshot(), replay).is_allowed


def test_without_redis_there_is_nothing_to_write_to() -> None:
    assert not engaging(snapshot(), structs.replace(SETTINGS, redis=None)).is_allowed


def test_a_failed_halt_names_the_other_rungs() -> None:
    words = engage.failure(SETTINGS, "refused the connection", is_known=True)
    assert words[0].startswith("NOT HALTED by this: refused the connection. The wish is kept")
    assert words[1] == "stop the router: Space b h, or by hand: kubectl scale deploy/router --replicas=0"
    assert "call the brokers (IBKR, ZERODHA, PAPER)" in words[2]
    assert engage.failure(SETTINGS, "silent", is_known=False)[0].startswith("NOT KNOWN WHETHER HALTED: silent. ")


def test_release_on_a_good_day_is_allowed_and_asks_for_phrase_and_reason() -> None:
    plan = releasing()
    assert plan.is_allowed, plan.blocking
    assert (plan.danger, plan.phrase, plan.needs_reason) == (Danger.DANGER, "START TRADING test", True)
    assert any("does not send again" in line for line in plan.impact)
    assert any("cancels nothing and closes nothing" in line for line in plan.impact)


def test_another_halt_is_another_release() -> None:
    plan = releasing()
    assert plan.steps[0].command.endswith(f"only while it is by asha@jump1 ts {int((NOW - 42) * 1000)}")
    later = KillSwitch(True, True, "broker outage", "asha@jump1", NOW - 1)
    other = KillSwitch(True, True, "broker outage", "risk-manager", NOW - 42)
    assert len({plan.digest, releasing(kill_switch=later).digest, releasing(kill_switch=other).digest}) == 3
    assert releasing(redis=dead()).digest == plan.digest
    write = release.write(WHO, plan, Confirmation(plan.digest, reason="over"), int(NOW * 1000))
    assert Write.from_facts(write.to_facts()) == write
    seen = {"enabled": "true", "by": "asha@jump1", "ts": str(int((NOW - 42) * 1000))}
    assert write.may_replace(seen)
    assert write.may_replace({"enabled": "false", "by": write.by, "reason": "over", "ts": str(write.ts_ms)})
    changed: tuple[dict[str, str], ...] = ({}, {**seen, "ts": "1"}, {**seen, "by": "x"}, {**seen, "enabled": "false"})
    assert not any(write.may_replace(each) for each in changed)


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"kill_switch": KillSwitch(False, True)}, "kill switch"),
        ({"kill_switch": Sample.good(ENGAGED, NOW - 30, 0.01)}, "kill switch"),
        ({"venues": venues(venue("IBKR", "down"))}, "IBKR up"),
        ({"venues": venues(venue("IBKR", age_s=60.0))}, "IBKR up"),
        ({"venues": (venue("IBKR"),)}, "ZERODHA up"),
        ({"venues": dead()}, "brokers up"),
        ({"risk": risk(var_99=2.1e6)}, "VaR 99 within limit"),
        ({"risk": risk(es_975=2.6e6)}, "ES 97.5 within limit"),
        ({"risk": risk(drawdown_pct=0.06)}, "drawdown within limit"),
        ({"risk": risk(gross_usd=None)}, "gross within limit"),
        ({"risk": risk(age_s=20.0)}, "risk within limits"),
        ({"risk": dead()}, "risk within limits"),
        ({"flow": flow()}, "streams drained"),
        ({"flow": dead()}, "streams drained"),
        ({"redis": redis(refuses_writes=True)}, "writes accepted"),
        ({"redis": dead()}, "Redis answers"),
    ],
)
def test_release_is_forbidden_by(changed: dict[str, Any], name: str) -> None:
    plan = releasing(**changed)
    assert name in [each.name for each in plan.blocking]


def test_release_with_nothing_known_is_forbidden() -> None:
    assert not release.plan(SETTINGS, WHO, {}, Snapshot(0, NOW, World.SANDBOX, "test"), NOW).is_allowed


def test_a_rerouted_broker_may_be_down() -> None:
    plan = releasing(venues=venues(venue("IBKR", "down", override="zerodha")))
    assert check(plan, "IBKR up").detail == "down, but ZERODHA takes its orders"
    assert "IBKR up" not in [each.name for each in plan.blocking]
    both = releasing(venues=venues(venue("IBKR", "down", override="zerodha"), venue("ZERODHA", "down")))
    assert "IBKR up" in [each.name for each in both.blocking]


def test_old_orders_that_wait_forbid_a_release() -> None:
    piled = flow(incoming=stream("orders.incoming", "incoming", group("risk", lag=5000)))
    plan = releasing(flow=type(piled)(piled.streams, 0, None))
    assert "5000 old orders wait" in check(plan, "no backlog").detail
    assert not plan.is_allowed


def test_late_prices_are_said_before_a_release() -> None:
    plan = releasing(feeds=feeds(feed("yahoo", newest_age_s=9.0)))
    assert check(plan, "prices fresh").verdict is Verdict.WARN
    assert plan.is_allowed


def test_ledger_and_redis_must_agree_before_a_release() -> None:
    found = check(releasing(), "ledger = Redis")
    assert (found.verdict, found.evidence_age_s) == (Verdict.PASS, pytest.approx(0.3))
    plan = releasing(changed_ledger=Ledger(1, None, {"AAPL": 7.0}))
    differs = check(plan, "ledger = Redis")
    assert (differs.verdict, differs.is_overridable, "AAPL 7 and" in differs.detail) == (Verdict.FAIL, False, True)
    assert not plan.is_allowed


def test_a_ledger_that_cannot_be_read_is_not_called_equal() -> None:
    shown = snapshot(kill_switch=ENGAGED)
    found = check(release.plan(SETTINGS, WHO, {}, shown, NOW), "ledger = Redis")
    assert (found.verdict, found.is_overridable) == (Verdict.UNKNOWN, True)
    assert check(releasing(), "broker positions").detail.startswith(
        "not read by the cockpit: compare what IBKR, ZERODHA "
    )


def held_at(*by_account: float, **changes: Any) -> Sample[Any]:
    return replace(Sample.good({"AAPL": by_account}, NOW - 7.0, 0.1, 25.0), **changes)


@pytest.mark.parametrize(
    ("ibkr", "zerodha", "said"),
    [
        (held_at(7.0), held_at(-2.0), {"IBKR = ledger": "1 positions agree", "ZERODHA = ledger": "1 positions agree"}),
        (held_at(9.0, -2.0), held_at(-2.0), {"IBKR = ledger": "1 positions agree in sum; by account AAPL 9, -2"}),
        (held_at(7.0), held_at(-3.0), {"ZERODHA = ledger": "1 differ, ZERODHA and ledger: AAPL -3 and -2"}),
        (held_at(9.0, value_at=NOW - 7.2), held_at(-2.0), {"IBKR = ledger": "a fill came since"}),
        (held_at(7.0, error="timed out"), held_at(-2.0), {"broker positions": "what IBKR hold"}),
        (held_at(7.0, value_at=NOW - 60), held_at(-2.0), {"broker positions": "IBKR: last read 60 s ago"}),
    ],
)
def test_what_each_broker_holds_is_compared_with_its_fills(ibkr: Any, zerodha: Any, said: dict[str, str]) -> None:
    reaches = tuple(replace(one, held={"IBKR": ibkr, "ZERODHA": zerodha}[one.venue]) for one in reach())
    held = {"ibkr": 7.0, "zerodha": -2.0, "paper": 1.0}
    fills = {name: Filled({"AAPL": qty}, int((NOW - 7.1) * 1000)) for name, qty in held.items()}
    with patch.object(reconciled, "held_by_venue", lambda _: fills):
        plan = releasing(reach=reaches)
    for name, words in said.items():
        found = check(plan, name)
        assert words in found.detail
        wanted = {"1 positions": Verdict.PASS, "1 differ, Z": Verdict.FAIL, "a fill came": Verdict.UNKNOWN}
        verdict = Verdict.WARN if "in sum" in words else wanted.get(words[:11], Verdict.WARN)
        assert (found.verdict, found.is_overridable) == (verdict, verdict in (Verdict.FAIL, Verdict.UNKNOWN))
        assert found.evidence_age_s == (None if name == "broker positions" else pytest.approx(7.1, abs=0.11))
        assert plan.is_allowed is not found.is_overridable
    assert "PAPER" not in str(plan.checks[-8:]) and ("broker positions" in said) is any(
        each.name == "broker positions" for each in plan.checks
    )


LATCH = Latch("redis", "asha@jump1", "broker outage", int((NOW - 42) * 1000), is_held=True)


def test_what_was_released_elsewhere_can_be_released_here_too() -> None:
    elsewhere = KillSwitch(False, True, "all well", "bo@jump2", NOW - 5)
    assert not releasing(kill_switch=elsewhere).is_allowed
    plan = releasing(kill_switch=elsewhere, latch=LATCH)
    assert plan.is_allowed, plan.blocking
    assert "lets go of the latch by asha@jump1" in check(plan, "kill switch").detail
    assert plan.steps[0].command.endswith(f"only while it is released by bo@jump2 ts {int((NOW - 5) * 1000)}")
    write = release.write(WHO, plan, Confirmation(plan.digest, reason="over"), int(NOW * 1000))
    assert Write.from_facts(write.to_facts()) == write
    seen = {"enabled": "false", "by": "bo@jump2", "ts": str(int((NOW - 5) * 1000))}
    assert write.may_replace(seen) and not write.may_replace({**seen, "enabled": "true"})


@pytest.mark.parametrize(
    ("switch", "hold"),
    [
        (ENGAGED, Hold.HELD),
        (KillSwitch(True, True, "drawdown", "risk-manager", NOW), Hold.HELD),
        (KillSwitch(False, False), Hold.LOST),
        (KillSwitch(False, True, "", "bo", NOW - 90), Hold.LOST),
        (KillSwitch(False, True, "", "asha@jump1", NOW - 42), Hold.LOST),
        (KillSwitch(False, True, "", None, NOW), Hold.LOST),
        (KillSwitch(False, True, "by hand", None, NOW, SwitchRecord("asha@jump1", NOW - 42)), Hold.LOST),
        (KillSwitch(False, True, "", "bo", NOW - 5), Hold.RELEASED),
    ],
)
def test_only_a_release_that_says_by_whom_and_when_is_one(switch: KillSwitch, hold: Hold) -> None:
    assert LATCH.hold_of(switch) is hold


def test_the_brokers_numbers_are_named_where_nothing_else_stops_trading() -> None:
    venues = (structs.replace(SETTINGS.venues[0], phone="+1 877 442 2757"), *SETTINGS.venues[1:])
    words = engage.failure(structs.replace(SETTINGS, venues=venues), "silent", is_known=True)
    assert "call the brokers (IBKR +1 877 442 2757, ZERODHA, PAPER)" in words[2]


SOON_MS = int(NOW * 1000) + 120_000
"""What a host says whose clock is two minutes ahead, or this one before its clock was set back."""


@pytest.mark.parametrize(
    ("switch", "latch_ms", "expected"),
    [
        (KillSwitch(True, True, "halt", "asha@jump1", NOW - 42), None, int(NOW * 1000)),
        (KillSwitch(True, True, "halt", "asha@jump1", SOON_MS / 1000), None, SOON_MS + 1),
        (KillSwitch(True, True, "halt", "asha@jump1", NOW - 42), SOON_MS, SOON_MS + 1),
        (KillSwitch(False, True, outlived=SwitchRecord("ben@jump2", SOON_MS / 1000)), None, SOON_MS + 1),
        (KillSwitch(False, False), None, int(NOW * 1000)),
    ],
    ids=["usual", "a halt from ahead", "a latch from ahead", "an outlived record from ahead", "no key"],
)
def test_what_is_written_is_signed_after_all_that_is_known(
    switch: KillSwitch, latch_ms: int | None, expected: int
) -> None:
    latch = None if latch_ms is None else Latch("redis://x", "asha@jump1", "halt", latch_ms, True)
    assert stamp_ms(replace(snapshot(kill_switch=switch), latch=latch), NOW) == expected


@pytest.mark.parametrize("said", ["9999999999999", "99999999999999"])
def test_a_release_of_a_halt_that_was_signed_for_ever_lets_go_of_the_latch(said: str) -> None:
    latch = Latch("redis://x", "asha@jump1", "halt", int(NOW * 1000) - 42_000, True)
    said_ms = time_ms(said)
    halted = KillSwitch(True, True, "halt", "asha@jump1", None if said_ms is None else said_ms / 1000)
    ts_ms = stamp_ms(replace(snapshot(kill_switch=halted), latch=latch), NOW)
    assert ts_ms == int(NOW * 1000)
    assert latch.hold(False, "asha@jump1", time_ms(str(ts_ms))) is Hold.RELEASED


def test_a_release_under_a_clock_that_stepped_back_lets_go_of_the_latch() -> None:
    latch = Latch("redis://x", "asha@jump1", "halt", SOON_MS, True)
    halted = KillSwitch(True, True, "halt", "asha@jump1", SOON_MS / 1000)
    ts_ms = stamp_ms(replace(snapshot(kill_switch=halted), latch=latch), NOW)
    assert latch.hold(False, "asha@jump1", ts_ms) is Hold.RELEASED
