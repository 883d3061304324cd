"""What a cluster says of deployments and pods, judged by kubectl's rules."""

from __future__ import annotations

from typing import Any

import pytest
from kubernetes_served import deployed, running

from cockpit.clients.kubernetes import Cluster
from cockpit.probes.kubernetes import aged, kubernetes, matches, pod, reason, rollout

LABELS = {"app": "ws-gateway"}


EXCEEDED = [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "it timed out"}]


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (deployed(), ("complete", None)),
        (deployed(paused=True), ("paused", None)),
        (deployed(observedGeneration=2), ("progressing", "the change has not been taken up yet")),
        (deployed(updatedReplicas=1), ("progressing", "1 of 2 new pods created")),
        (deployed(replicas=3), ("progressing", "1 old pod still to stop")),
        (deployed(availableReplicas=1), ("progressing", "1 of 2 pods available")),
        (deployed(availableReplicas=1, conditions=EXCEEDED), ("stalled", "it timed out")),
        (deployed(wanted=0, replicas=0, updatedReplicas=0, availableReplicas=0), ("complete", None)),
    ],
)
def test_rollout_by_kubectls_rule(item: dict[str, Any], expected: tuple[str, str | None]) -> None:
    assert rollout(item) == expected


CRASHED = {"terminated": {"reason": "Error", "exitCode": 1}}


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (running("a"), None),
        (running("a", state={"waiting": {"reason": "CrashLoopBackOff"}}, lastState=CRASHED), "CrashLoopBackOff"),
        (running("a", state={"waiting": {"reason": "ImagePullBackOff"}}), "ImagePullBackOff"),
        (running("a", state={"waiting": {"reason": "ContainerCreating"}}), "ContainerCreating"),
        (running("a", lastState=CRASHED), "Error (exit 1)"),
        (running("a", state=CRASHED), "Error (exit 1)"),
        (running("a", lastState={"terminated": {"reason": "OOMKilled", "exitCode": 137}}), "OOMKilled"),
        (running("a", lastState={"terminated": {"reason": "Completed", "exitCode": 0}}), None),
        ({"status": {"reason": "Evicted"}}, "Evicted"),
        ({"metadata": {"deletionTimestamp": "2020-01-01T00:00:00Z"}}, "Terminating"),
        (
            {"status": {"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]}},
            "Unschedulable",
        ),
        ({"status": {"containerStatuses": [None, 3, {"state": 7}], "conditions": "x"}}, None),
    ],
)
def test_reasons(item: dict[str, Any], expected: str | None) -> None:
    assert reason(item) == expected


def test_pod_facts() -> None:
    found = pod(running("ws-1", restartCount=4), 1577836805.0)
    assert (found.name, found.phase, found.is_ready, found.restarts, found.age_s) == ("ws-1", "Running", True, 4, 5.0)


def test_selectors() -> None:
    assert not matches({}, LABELS)
    assert matches({"matchExpressions": [{"key": "app", "operator": "In", "values": ["ws-gateway"]}]}, LABELS)
    assert not matches({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, LABELS)
    assert matches({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, LABELS)


BEGAN = 1577836800.0  # 2020-01-01T00:00:00Z


def test_same_answers_later_are_the_same_facts_and_older() -> None:
    cluster = Cluster("v1", "trading", (deployed(),), (running("ws-a"), running("ws-b")))
    first = kubernetes(cluster, ["ws-gateway"], [], BEGAN + 8.0)
    assert aged(first, 2.5) == kubernetes(cluster, ["ws-gateway"], [], BEGAN + 10.5)


def test_what_lies_ahead_of_our_clock_is_not_older_by_what_has_passed() -> None:
    cluster = Cluster("v1", "trading", (deployed(),), (running("ws-a"),))
    assert aged(kubernetes(cluster, ["ws-gateway"], [], BEGAN - 2.0), 2.5) is None
