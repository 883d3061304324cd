"""Restarting ws-gateway as a step: performed by a worker, proven, refused, and looked for after its worker died."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from cockpit.errors import Rejected
from cockpit.model.job import Phase, StepState
from cockpit.model.plan import Confirmation
from cockpit.sandbox.layout import Layout
from tests.sandbox.conftest import Control, wait_until
from tests.sandbox.step_desk import StepDesk, opened, told

ACTION = "rollout.restart"


@pytest.fixture(scope="module")
def desk(sandbox: tuple[Layout, Control]) -> Iterator[StepDesk]:
    with opened(*sandbox) as found:
        yield found


def pods(desk: StepDesk) -> set[str]:
    kubernetes = desk.snapshot.kubernetes.value
    assert kubernetes is not None
    return {pod.name for one in kubernetes.deployments if one.name == "ws-gateway" for pod in one.pods}


def worker_of(desk: StepDesk, job_id: str) -> int:
    def pid() -> Any:
        return next((entry.facts["pid"] for entry in desk.store.entries(job_id) if entry.kind == "working"), None)

    return int(wait_until(pid))


def test_the_pods_are_new_and_the_rollout_is_complete(desk: StepDesk) -> None:
    before = pods(desk)
    plan = desk.allowed(ACTION)
    assert plan.phrase == "ws-gateway" and str(desk.layout.ports.kubernetes) in dict(plan.parameters)["server"]
    assert (plan.steps[0].by_hand or "").endswith("rollout restart deploy/ws-gateway")
    with pytest.raises(Rejected, match="typed exactly: ws-gateway"):
        desk.session.submit(plan, Confirmation(plan.digest, "ws-gatewai")).result(5)
    job = desk.ended(desk.submit(plan))
    assert job.phase is Phase.DONE, told(job)
    assert [proof.state for proof in job.proofs] == [StepState.DONE] * 3
    assert wait_until(lambda: not pods(desk) & before)
    started = next(entry for entry in desk.store.entries(job.id) if entry.kind == "step_started")
    assert started.facts["before"]["restarted_at"] in started.facts["command"]
    kinds = [record.kind for record in desk.log.tail() if record.ref == job.id]
    assert kinds == ["confirmed", "step_started", "step_done", "proven"]


def test_one_job_at_a_time_and_the_second_is_told_who(desk: StepDesk) -> None:
    plan = desk.allowed(ACTION)
    first, second = desk.submit(plan), desk.submit(plan)
    ended = [desk.ended(first), desk.ended(second)]
    refused = next(job for job in ended if job.phase is Phase.FAILED)
    done = next(job for job in ended if job is not refused)
    assert done.phase is Phase.DONE, told(done)
    assert refused.error is not None and done.id in refused.error and done.by in refused.error
    assert refused.steps[0].state is StepState.WAITING


def test_a_worker_that_dies_after_the_patch_is_looked_after_and_nothing_is_done_twice(desk: StepDesk) -> None:
    job = desk.submit(desk.allowed(ACTION))
    wait_until(lambda: any(entry.kind == "step_started" for entry in desk.store.entries(job.id)))
    os.kill(worker_of(desk, job.id), signal.SIGKILL)
    ended = desk.ended(job)
    kinds = [entry.kind for entry in desk.store.entries(job.id)]
    assert kinds.count("step_started") == 1 and "left_behind" in kinds
    # By the moment of the kill it was patched or not; what is said must be what the cluster shows.
    stamp = next(e.facts["before"]["restarted_at"] for e in desk.store.entries(job.id) if e.kind == "step_started")
    assert ended.phase is (Phase.DONE if _stamped(desk, stamp) else Phase.FAILED), told(ended)


def _stamped(desk: StepDesk, stamp: str) -> bool:
    from cockpit.clients.kubernetes_login import login

    assert desk.settings.kubernetes is not None
    api, namespace = login(desk.settings.kubernetes)
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/ws-gateway"
    headers = {"Accept": "application/json"}
    request = api.param_serialize("GET", path, header_params=headers, auth_settings=["BearerToken"])
    answer = api.call_api(*request).response
    assert answer.status == 200
    return stamp in answer.read().decode()


def test_a_worker_that_never_began_is_not_begun_later(desk: StepDesk) -> None:
    plan = desk.allowed(ACTION)
    job = desk.submit(plan)
    os.kill(worker_of(desk, job.id), signal.SIGKILL)
    if any(entry.kind == "step_started" for entry in desk.store.entries(job.id)):
        pytest.skip("the worker was quicker than the kill")
    ended = desk.ended(job)
    assert (ended.phase, ended.steps[0].state) == (Phase.FAILED, StepState.WAITING)
    assert "nothing was done" in (ended.error or "")


def test_a_rollout_that_fails_is_not_called_done(desk: StepDesk) -> None:
    desk.control.inject("gateway-bad-rollout")
    try:
        job = desk.ended(desk.take(ACTION), 150.0)
        assert job.phase is Phase.FAILED, told(job)
        assert job.proofs[1].state is StepState.FAILED and "ImagePullBackOff" in job.proofs[1].detail, told(job)
    finally:
        desk.control.clear()
