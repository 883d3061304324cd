"""Replica sets: which belong to a deployment, and the pods that they keep."""

from __future__ import annotations

import copy
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from cockpit.sandbox.served.kube_events import EventLog
from cockpit.sandbox.served.kube_kinds import Json
from cockpit.sandbox.served.kube_store import SAFE_LETTERS, Store, owner_uid, stamp

HASH_LABEL = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
CAUSE = "kubernetes.io/change-cause"


def template_hash(template: Json) -> str:
    """Return the letters that name a pod template; what is empty does not count.

    >>> template_hash({"a": 1}) == template_hash({"a": 1, "b": {}, "c": None})
    True
    """
    bare = _without_empties(copy.deepcopy(template))
    bare.get("metadata", {}).get("labels", {}).pop(HASH_LABEL, None)
    digest = hashlib.sha256(json.dumps(bare, sort_keys=True).encode()).digest()
    return "".join(SAFE_LETTERS[byte % len(SAFE_LETTERS)] for byte in digest[:10])


def owned_sets(store: Store, deployment: Json) -> list[Json]:
    """Return a deployment's replica sets, the oldest revision first."""
    metadata = deployment["metadata"]
    sets = [rs for rs in store.items("replicasets", metadata["namespace"]) if owner_uid(rs) == metadata["uid"]]
    return sorted(sets, key=revision)


def revision(item: Json) -> int:
    """Return the revision that a replica set or deployment is at, 0 when at none."""
    return int((item["metadata"].get("annotations") or {}).get(REVISION, "0"))


def owned_pods(store: Store, replica_set: Json) -> list[Json]:
    """Return a replica set's pods, those on their way out too."""
    metadata = replica_set["metadata"]
    return [pod for pod in store.items("pods", metadata["namespace"]) if owner_uid(pod) == metadata["uid"]]


def is_leaving(pod: Json) -> bool:
    """Say whether the pod is being deleted."""
    return "deletionTimestamp" in pod["metadata"]


def is_ready(pod: Json) -> bool:
    """Say whether the pod serves."""
    conditions = pod.get("status", {}).get("conditions", [])
    return not is_leaving(pod) and any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def delete_pod(store: Store, pod: Json, grace_s: int | None = None) -> Json:
    """Mark a pod as being deleted; its process is ended by the kubelet."""
    metadata = pod["metadata"]
    seconds = pod["spec"].get("terminationGracePeriodSeconds", 30) if grace_s is None else grace_s

    def mark(edited: Json) -> None:
        end = datetime.now(UTC) + timedelta(seconds=seconds)
        edited["metadata"].setdefault("deletionTimestamp", stamp(end))
        edited["metadata"]["deletionGracePeriodSeconds"] = seconds

    return store.edit("pods", metadata["namespace"], metadata["name"], mark) or pod


class ReplicaSets:
    """Makes replica sets, and keeps as many pods as each wants."""

    def __init__(self, store: Store, events: EventLog) -> None:
        self._store = store
        self._events = events

    def create(self, deployment: Json, name_hash: str) -> Json:
        """Make the replica set for a deployment's template, with no pods yet."""
        metadata, spec = deployment["metadata"], deployment["spec"]
        template = copy.deepcopy(spec["template"])
        labels = {**template["metadata"].get("labels", {}), HASH_LABEL: name_hash}
        template["metadata"]["labels"] = labels
        match = {**spec["selector"]["matchLabels"], HASH_LABEL: name_hash}
        body: Json = {
            "metadata": {
                "name": f"{metadata['name']}-{name_hash}",
                "namespace": metadata["namespace"],
                "labels": labels,
                "annotations": {},
                "ownerReferences": [_owner(deployment)],
            },
            "spec": {"replicas": 0, "selector": {"matchLabels": match}, "template": template},
            "status": {"replicas": 0},
        }
        return self._store.add("replicasets", body)

    def resize(self, deployment: Json, replica_set: Json, replicas: int) -> None:
        """Ask a replica set for another number of pods."""
        metadata = replica_set["metadata"]
        before = replica_set["spec"]["replicas"]
        word = "up" if replicas > before else "down"
        message = f"Scaled {word} replica set {metadata['name']} from {before} to {replicas}"
        self._store.edit(
            "replicasets", metadata["namespace"], metadata["name"], lambda rs: rs["spec"].update(replicas=replicas)
        )
        self._events.note(deployment, "ScalingReplicaSet", message)

    def fill(self, replica_set: Json) -> None:
        """Start or delete pods until there are as many as asked for, and report."""
        pods = [pod for pod in owned_pods(self._store, replica_set) if not is_leaving(pod)]
        wanted = replica_set["spec"]["replicas"]
        for _ in range(wanted - len(pods)):
            pod = self._store.add("pods", self._pod(replica_set))
            pods.append(pod)
            self._events.note(replica_set, "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}")
        # Those that do not serve go first, then the youngest.
        pods.sort(key=lambda pod: (is_ready(pod), -int(pod["metadata"]["resourceVersion"])))
        while len(pods) > wanted:
            pod = pods.pop(0)
            delete_pod(self._store, pod)
            self._events.note(replica_set, "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}")
        self._report(replica_set, len(pods), sum(1 for pod in pods if is_ready(pod)))

    def _report(self, replica_set: Json, count: int, ready: int) -> None:
        metadata = replica_set["metadata"]

        def change(rs: Json) -> None:
            # Read from the edited copy: a resize in the same pass has raised the generation since.
            status: Json = {"replicas": count, "observedGeneration": rs["metadata"]["generation"]}
            if count:
                status["fullyLabeledReplicas"] = count
            if ready:
                status |= {"readyReplicas": ready, "availableReplicas": ready}
            rs["status"] = status

        self._store.edit("replicasets", metadata["namespace"], metadata["name"], change)

    def _pod(self, replica_set: Json) -> Json:
        metadata, template = replica_set["metadata"], replica_set["spec"]["template"]
        prefix = f"{metadata['name']}-"
        return {
            "metadata": {
                "generateName": prefix,
                "name": prefix + self._store.suffix(),
                "namespace": metadata["namespace"],
                "labels": dict(template["metadata"]["labels"]),
                "annotations": dict(template["metadata"].get("annotations") or {}),
                "ownerReferences": [_owner(replica_set)],
            },
            "spec": {**copy.deepcopy(template["spec"]), "nodeName": "sandbox", "serviceAccountName": "default"},
            "status": {"phase": "Pending"},
        }


def _owner(item: Json) -> Json:
    return {
        "apiVersion": item["apiVersion"],
        "kind": item["kind"],
        "name": item["metadata"]["name"],
        "uid": item["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _without_empties(value: Any) -> Any:
    if isinstance(value, dict):
        cleaned = {key: _without_empties(item) for key, item in value.items()}
        return {key: item for key, item in cleaned.items() if item not in (None, {}, [], "")}
    if isinstance(value, list):
        return [_without_empties(item) for item in value]
    return value
