"""Which deployment a step is for: those that are ill come first."""

from __future__ import annotations

from actions.rollout.cluster import deployments
from tests.unit.healthy import SETTINGS, deployment, kubernetes, snapshot


def test_the_ill_ones_come_first() -> None:
    well = snapshot(kubernetes=kubernetes())
    assert [one.value for one in deployments(SETTINGS, well)] == ["ws-gateway", "router", "api"]
    ill = snapshot(kubernetes=kubernetes(deployment("api", ready=0)))
    assert [one.value for one in deployments(SETTINGS, ill)] == ["api", "ws-gateway", "router"]
