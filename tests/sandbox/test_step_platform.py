"""Scale, undo, restart and silence as steps, beside what kubectl, docker and Grafana themselves say."""

from __future__ import annotations

import json
import shlex
import subprocess
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from cockpit.errors import Rejected
from cockpit.model.job import Phase, StepState
from cockpit.model.plan import Confirmation
from cockpit.sandbox import launcher
from cockpit.sandbox.layout import Layout
from cockpit.session import state_folder
from cockpit.storage.targets import Targets
from tests.sandbox.conftest import Control, wait_until
from tests.sandbox.step_desk import StepDesk, opened, told

IMAGES = "jsonpath={.spec.template.spec.containers[0].image}"


@pytest.fixture(scope="module")
def desk(sandbox: tuple[Layout, Control]) -> Iterator[StepDesk]:
    with opened(*sandbox) as found:
        yield found


def shell(desk: StepDesk, line: str) -> str:
    """A line as an operator types it."""
    done = subprocess.run(
        shlex.split(line),
        cwd=desk.layout.root,
        env=launcher.environment(desk.layout),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, (line, done.stdout, done.stderr)
    return done.stdout


def settled(desk: StepDesk, name: str, pods: int) -> None:
    def is_settled() -> bool:
        read = desk.snapshot.kubernetes.value
        found = next((one for one in read.deployments if one.name == name), None) if read else None
        return found is not None and found.rollout == "complete" and found.ready == len(found.pods) == pods

    wait_until(is_settled)


def test_scale_there_and_back_as_kubectl_sees_it(desk: StepDesk) -> None:
    settled(desk, "api", 2)
    plan = desk.allowed("scale", deployment="api", to="3")
    assert plan.title == "Scale api from 2 to 3" and plan.phrase == "api"
    by_hand = plan.steps[0].by_hand or ""
    assert by_hand.endswith("scale deploy/api --current-replicas=2 --replicas=3")
    job = desk.ended(desk.submit(plan))
    assert job.phase is Phase.DONE, told(job)
    assert shell(desk, "kubectl get deploy/api -o jsonpath={.spec.replicas}/{.status.readyReplicas}") == "3/3"
    # What was confirmed when there were 2 is refused now that there are 3, once its worker has gone.
    locks = Targets(state_folder(desk.settings) / "targets")
    assert wait_until(lambda: locks.holder(plan.target) is None)
    settled(desk, "api", 3)
    with pytest.raises(Rejected, match="no longer what would be done"):
        desk.session.submit(plan, Confirmation(plan.digest, "api")).result(10)
    shell(desk, "kubectl scale deploy/api --current-replicas=3 --replicas=2")
    settled(desk, "api", 2)


def test_the_server_refuses_where_somebody_was_quicker(desk: StepDesk) -> None:
    import asyncio

    from cockpit.clients.kubernetes_write import scale_deployment
    from cockpit.errors import Refused

    read = desk.snapshot.kubernetes.value
    assert desk.settings.kubernetes is not None and read is not None
    with pytest.raises(Refused):
        asyncio.run(scale_deployment(desk.settings.kubernetes, "api", 5, 4, read.server))
    # A server leaves a 0 out of the deployment's Scale: up again it goes all the same.
    asyncio.run(scale_deployment(desk.settings.kubernetes, "api", 2, 0, read.server))
    asyncio.run(scale_deployment(desk.settings.kubernetes, "api", 0, 2, read.server))
    assert shell(desk, "kubectl get deploy/api -o jsonpath={.spec.replicas}") == "2"


def test_a_second_router_needs_an_override_and_nothing_chosen_is_nothing(desk: StepDesk) -> None:
    plan = desk.plan("scale", deployment="router", to="2")
    assert [check.name for check in plan.blocking] == ["orders"] and plan.blocking[0].is_overridable
    assert "choose one of" in desk.plan("scale").blocking[0].detail
    assert desk.plan("restart-deployment").target == "(none chosen)"
    offered = desk.session.choices("scale", "deployment", {}).result(10)
    assert [one.value for one in offered] == ["ws-gateway", "router", "api"]
    numbers = desk.session.choices("scale", "to", {"deployment": "api"}).result(10)
    assert {one.value: one.words for one in numbers}["2"] == "as it is"


def test_undo_puts_the_image_back_and_kubectl_agrees(desk: StepDesk) -> None:
    settled(desk, "api", 2)
    image = shell(desk, f"kubectl get deploy/api -o {IMAGES}")
    newer = image.rpartition(":")[0] + ":1.9.0"
    shell(desk, f"kubectl set image deploy/api api={newer}")
    shell(desk, "kubectl rollout status deploy/api --timeout=30s")

    def ready() -> Any:
        plan = desk.plan("undo-rollout", deployment="api")
        return plan if plan.is_allowed and any(newer in words for words in plan.impact) else None

    plan = wait_until(ready)
    assert f"changes image of api: {newer} to {image}" in plan.impact
    job = desk.ended(desk.submit(plan))
    assert job.phase is Phase.DONE, told(job)
    assert shell(desk, f"kubectl get deploy/api -o {IMAGES}") == image
    # kubectl's own undo goes back to the newer one: ours left the history as kubectl's would.
    shell(desk, "kubectl rollout undo deploy/api")
    assert shell(desk, f"kubectl get deploy/api -o {IMAGES}") == newer
    shell(desk, "kubectl rollout undo deploy/api")
    settled(desk, "api", 2)


def test_another_deployment_is_restarted_without_asking_for_ticks(desk: StepDesk) -> None:
    settled(desk, "api", 2)
    job = desk.ended(desk.take("restart-deployment", deployment="api"))
    assert job.phase is Phase.DONE, told(job)
    assert (job.target, len(job.proofs)) == ("api", 2)


def test_a_container_is_restarted_and_docker_agrees(desk: StepDesk) -> None:
    before = json.loads(shell(desk, "docker inspect postgres"))[0]["State"]["Pid"]
    job = desk.ended(desk.take("restart-container", container="postgres"))
    assert job.phase is Phase.DONE, told(job)
    state = json.loads(shell(desk, "docker inspect postgres"))[0]["State"]
    assert state["Running"] and state["Pid"] != before
    wait_until(lambda: desk.snapshot.postgres.error is None and desk.snapshot.postgres.value is not None)
    assert "a step of its own" in desk.plan("restart-container", container="redis").blocking[0].detail


def test_a_silence_keeps_an_alert_back_until_it_is_ended(desk: StepDesk) -> None:
    wait_until(lambda: desk.snapshot.alerts.value is not None and desk.snapshot.alerts.value.rules)
    name = desk.session.choices("silence-alert", "alert", {}).result(10)[0].value
    plan = desk.allowed("silence-alert", alert=name, minutes="15")
    job = desk.ended(desk.submit(plan, "known, being worked on"))
    assert job.phase is Phase.DONE, told(job)
    (silence,) = [one for one in asked(desk, "/silences") if one["status"]["state"] == "active"]
    assert silence["comment"].startswith("known, being worked on (cockpit-")
    assert silence["createdBy"] == desk.session.operator.label
    assert silence["matchers"][0]["value"] == name
    ended = desk.ended(desk.submit(desk.allowed("end-silence", silence=silence["id"])))
    assert ended.phase is Phase.DONE, told(ended)
    assert [one["status"]["state"] for one in asked(desk, "/silences") if one["id"] == silence["id"]] == ["expired"]
    assert ended.proofs[0].state is StepState.DONE


def asked(desk: StepDesk, path: str) -> Any:
    part = desk.settings.grafana
    assert part is not None and part.token is not None
    url = f"{part.url}/api/alertmanager/grafana/api/v2{path}"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {part.token.reveal().strip()}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())
