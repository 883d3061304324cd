"""What undoing a rollout goes back to, and what it would change: kubectl's rules on replica sets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cockpit.clients.kubernetes_history import REVISION, before, changes, revision, template_id, template_of
from cockpit.clients.kubernetes_write import JSON_PATCH, scale_patch, undo_patch
from cockpit.sandbox.served.kube_failure import KubeFailure
from cockpit.sandbox.served.kube_patch import patched
from cockpit.sandbox.served.kube_writes import scale


def template(image: str = "api:1", **more: Any) -> dict[str, Any]:
    container = {"name": "api", "image": image, "resources": {}, "env": [{"name": "KEY", "value": "sesame"}], **more}
    return {"metadata": {"labels": {"app": "api"}}, "spec": {"containers": [container]}}


def replica_set(number: int, owner: str = "u1", image: str = "api:1", **notes: str) -> dict[str, Any]:
    held = template(image)
    held["metadata"]["labels"]["pod-template-hash"] = f"h{number}"
    return {
        "metadata": {
            "annotations": {REVISION: str(number), "deployment.kubernetes.io/desired-replicas": "2", **notes},
            "ownerReferences": [{"uid": owner, "controller": True}],
        },
        "spec": {"template": held},
    }


def deployed(number: int = 3, **notes: str) -> dict[str, Any]:
    return {
        "metadata": {"uid": "u1", "annotations": {REVISION: str(number), **notes}},
        "spec": {"template": template("api:3")},
    }


def test_it_goes_back_to_the_second_newest_of_its_own() -> None:
    sets = [replica_set(3), replica_set(1), replica_set(9, owner="u2"), replica_set(2, image="api:2"), {"metadata": 4}]
    sets = [one for one in sets if isinstance(one["metadata"], dict)]
    found = before(deployed(), sets)
    assert found is not None and revision(found) == 2
    assert before(deployed(), [replica_set(3)]) is None and before(deployed(), []) is None


def test_templates_are_equal_however_they_are_written() -> None:
    bare = {"spec": {"template": template()}}
    odd = {"spec": {"template": template(command=None, args=[])}}
    assert template_id(bare) == template_id(odd) == template_id(replica_set(1))
    assert template_id(bare) != template_id(replica_set(1, image="api:2"))
    assert "pod-template-hash" not in template_of(replica_set(1))["metadata"]["labels"]


def test_changes_are_told_without_values_that_may_be_secrets() -> None:
    now, then = {"spec": {"template": template("api:2")}}, {"spec": {"template": template("api:1")}}
    then["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"] = "other"
    then["spec"]["template"]["metadata"]["annotations"] = {"kubectl.kubernetes.io/restartedAt": "yesterday"}
    said = changes(now, then)
    assert said == (
        "annotation kubectl.kubernetes.io/restartedAt: none to yesterday",
        "environment of api: KEY",
        "image of api: api:2 to api:1",
    )
    assert changes(now, now) == ()


def test_the_patch_is_kubectls_behind_a_test() -> None:
    then = replica_set(2, **{"kubernetes.io/change-cause": "tested"})
    test, replaced, noted = undo_patch(deployed(3, team="ours"), then)
    assert test == {"op": "test", "path": "/metadata/annotations/deployment.kubernetes.io~1revision", "value": "3"}
    assert replaced["value"] == template() and replaced["path"] == "/spec/template"
    assert noted["value"] == {REVISION: "3", "kubernetes.io/change-cause": "tested"}
    assert [one["op"] for one in scale_patch(2, 3)] == ["test", "replace"]


def test_scale_is_said_to_the_deployment_whose_scale_leaves_a_zero_out() -> None:
    metadata = dict.fromkeys(("name", "namespace", "uid", "resourceVersion", "creationTimestamp"), "1")
    stopped = {"metadata": metadata, "spec": {"replicas": 0, "selector": {"matchLabels": {}}}}
    up = json.dumps(scale_patch(0, 1)).encode()
    assert scale(stopped)["spec"] == {}
    assert patched(stopped, JSON_PATCH, up)["spec"]["replicas"] == 1
    with pytest.raises((ValueError, KubeFailure)):
        patched(scale(stopped), JSON_PATCH, up)
