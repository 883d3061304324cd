"""Rerouting a broker that is down, proven by an order that its backup fills, and the way back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cockpit.errors import Rejected
from cockpit.model.job import Phase
from cockpit.sandbox.layout import Layout
from tests.sandbox.conftest import Control, wait_until
from tests.sandbox.step_desk import StepDesk, opened, told

AWAY, BACK = "reroute.away", "reroute.back"
OVERRIDE, SWITCH = "policy:route_override", "policy:kill_switch"


@pytest.fixture
def desk(sandbox: tuple[Layout, Control]) -> Iterator[StepDesk]:
    layout, control = sandbox
    with opened(layout, control) as found:
        # The market may pass a limit of itself, and a halt then leaves no order to see.
        limits = found.redis.hgetall("risk:limits")
        found.redis.hset("risk:limits", mapping=dict.fromkeys(limits, "1000000000000"))
        yield found
        found.redis.hset("risk:limits", mapping=limits)
        control.clear()
        found.redis.delete(OVERRIDE, SWITCH)
        wait_until(lambda: status(found, "IBKR") == "up")


def status(desk: StepDesk, name: str) -> str | None:
    return next((one.status for one in desk.snapshot.venues.value or () if one.name == name), None)


def test_the_backup_fills_and_the_orders_are_given_back(desk: StepDesk) -> None:
    desk.control.inject("broker-down")
    wait_until(lambda: status(desk, "IBKR") == "down")
    plan = desk.allowed(AWAY)
    assert (plan.phrase, dict(plan.parameters)) == ("IBKR", {"venue": "IBKR", "to": "zerodha"})
    url = desk.settings.redis.url if desk.settings.redis else ""
    assert plan.steps[0].by_hand == f"redis-cli -u {url} HSET policy:route_override IBKR zerodha"
    job = desk.ended(desk.submit(plan))
    assert job.phase is Phase.DONE, told(job)
    assert "filled by zerodha" in job.steps[1].detail
    assert desk.redis.hgetall(OVERRIDE) == {"IBKR": "zerodha"}
    wait_until(lambda: any(check.name == "IBKR" for check in desk.plan(BACK).blocking))
    with pytest.raises(Rejected, match="not fit to take orders"):
        desk.submit(desk.plan(BACK))
    desk.control.clear()
    job = desk.ended(desk.take(BACK))
    assert job.phase is Phase.DONE, told(job)
    assert len(job.steps) == 2, (desk.redis.hgetall(SWITCH), told(job))
    assert "filled by IBKR" in job.steps[1].detail and not desk.redis.exists(OVERRIDE)


def test_under_a_halt_only_the_override_is_claimed(desk: StepDesk) -> None:
    desk.redis.hset(SWITCH, mapping={"enabled": "true", "reason": "test", "by": "t", "ts": "1"})
    wait_until(lambda: desk.snapshot.kill_switch.value and desk.snapshot.kill_switch.value.is_engaged)
    plan = desk.allowed(AWAY, venue="ZERODHA")
    assert len(plan.steps) == 1 and any("verify the flow" in check.detail for check in plan.checks)
    job = desk.ended(desk.submit(plan))
    assert job.phase is Phase.DONE, told(job)
    assert desk.redis.hget(OVERRIDE, "ZERODHA") == "paper"
    refused = desk.plan(AWAY, venue="NASDAQ")
    assert "not among the configured venues" in refused.blocking[0].detail
