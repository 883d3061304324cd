"""The lines that are typed by hand name the server that the configuration names, and no password."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from msgspec import structs

from actions import by_hand
from actions.catalogue import ACTIONS
from actions.kill_switch.words import other_rungs
from actions.rollout import scale
from cockpit.config import DockerPart, KubernetesPart, PostgresPart, RedisPart, Settings
from cockpit.jobs.told import told
from cockpit.model.snapshot import Snapshot
from cockpit.secret import Secret
from tests.unit.healthy import NOW, SETTINGS, deployment, kubernetes, snapshot
from tests.unit.test_journal import WHO

REDIS = "redis-cli -u rediss://redis.internal:6380/3"
ELSEWHERE: dict[str, Any] = {
    "redis": RedisPart(url="rediss://redis.internal:6380/3", password=Secret(env="SESAME")),
    "postgres": PostgresPart(dsn="host=db.internal dbname=hedgefund user=ops", password=Secret(env="SESAME")),
    "docker": DockerPart(url="https://docker.internal:2376", certificates=Path("/etc/tls"), containers=("redis", "pg")),
}


def lines(settings: Settings, shown: Snapshot | None = None) -> list[str]:
    told_ones = told(ACTIONS, settings, shown or snapshot(), NOW)
    return [step.by_hand for one in told_ones for plan in one.plans for step in plan.steps if step.by_hand]


def test_every_line_by_hand_names_its_server() -> None:
    found = lines(structs.replace(SETTINGS, **ELSEWHERE))
    assert not [line for line in found if line.startswith("redis-cli") and not line.startswith(REDIS)]
    for program in ("psql", "createdb", "docker", "redis-cli"):
        assert any(line.startswith(f"{program} ") for line in found), program
    for line in found:
        assert "SESAME" not in line
        if line.startswith(("psql ", "createdb ")):
            assert "host=db.internal" in line and "user=ops" in line, line
        if line.startswith("docker "):
            assert line.startswith("docker -H tcp://docker.internal:2376 --tlsverify --tlscacert /etc/tls/ca.pem"), line
    assert f"{REDIS} HSET policy:kill_switch enabled true" in found
    assert all(shlex.split(line) for line in found)


def test_where_the_address_is_the_runbooks_own_so_is_the_line() -> None:
    usual = {"redis": RedisPart(), "docker": DockerPart()}
    found = lines(structs.replace(SETTINGS, **usual))
    assert "redis-cli HSET policy:kill_switch enabled true" in found and "docker restart redis" in found


def test_the_last_rung_is_what_carries_the_orders() -> None:
    part = KubernetesPart(context="prod", trading_deployments=("ws-gateway", "router-ui"), order_deployments=("oms",))
    settings = structs.replace(SETTINGS, kubernetes=part)
    line = "kubectl --context prod scale deploy/oms --replicas=0"
    assert by_hand.stop_orders(settings) == line and line in other_rungs(settings)[0]
    none = structs.replace(SETTINGS, kubernetes=structs.replace(part, order_deployments=()))
    assert len(other_rungs(none)) == 1 and other_rungs(none)[0].startswith("call the brokers")
    shown = snapshot(kubernetes=kubernetes(deployment("oms", 2, 2), deployment("router-ui", 1, 1)))
    (row,) = (row for row in ACTIONS if row.step == "halt-router")
    assert (row.selects, row.fixed) == ("deployment", {"to": "0"})
    plan = scale.plan(settings, WHO, {"deployment": "", "to": "0"}, shown, NOW)
    assert plan.target == "oms" and "deployment" not in {check.name for check in plan.blocking}
    assert [one.value for one in scale.choices("deployment", settings, shown, row.fixed)] == ["oms"]
    assert {one.value for one in scale.choices("deployment", settings, shown, {})} == {"ws-gateway", "router-ui", "oms"}
    two = structs.replace(SETTINGS, kubernetes=structs.replace(part, order_deployments=("oms", "ems")))
    assert "choose one of" in scale.plan(two, WHO, dict(row.fixed), shown, NOW).blocking[0].detail
