"""No step on the platform or its alerts is fired on evidence that is missing or old."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import structs

from cockpit.config import DockerPart
from cockpit.jobs.action import action_for
from cockpit.model.backends import Previous, Silence
from cockpit.model.plan import Plan, Verdict
from cockpit.model.snapshot import Snapshot
from tests.unit.healthy import NOW, SETTINGS, alerts, deployment, kubernetes, snapshot
from tests.unit.test_actions_evidence import LONG_AGO_S, ways
from tests.unit.test_journal import WHO

PLATFORM = structs.replace(SETTINGS, docker=DockerPart(containers=("redis", "postgres")))
SILENCE = Silence("s1", 'alertname = "Latency"', "asha", "known", 600.0)
UNDOABLE = replace(deployment("api"), revision=2, previous=Previous(1, "t1", ("image of api: 2 to 1",)))
GIVEN = {"deployment": "api", "to": "5", "alert": "Latency > 100 ms", "silence": "s1", "container": "postgres"}
JUDGED_BY = {
    "rollout.restart": "kubernetes",
    "rollout.scale": "kubernetes",
    "rollout.undo": "kubernetes",
    "container.restart": "docker",
    "alerts.silence": "alerts",
    "alerts.expire": "alerts",
}


def planned(action: str, found: Snapshot) -> Plan:
    return action_for(action).plan(PLATFORM, WHO, GIVEN, found, NOW)


@pytest.mark.parametrize("way", ["never read", "old", "failing", "from the future"])
@pytest.mark.parametrize(("action", "name"), JUDGED_BY.items())
def test_without_it_the_step_is_refused(action: str, name: str, way: str) -> None:
    found = snapshot(kubernetes=kubernetes(UNDOABLE), alerts=alerts(silences=(SILENCE,)))
    assert planned(action, found).is_allowed, planned(action, found).blocking
    plan = planned(action, replace(found, **{name: ways(getattr(found, name))[way]}))
    assert not plan.is_allowed
    aged = [check for check in plan.checks if (check.evidence_age_s or 0.0) >= LONG_AGO_S]
    assert all(check.verdict is not Verdict.PASS for check in aged)
