"""A deployment's status: its counts, whether it is available, and whether its rollout gets on."""

from __future__ import annotations

from dataclasses import dataclass

from cockpit.sandbox.served.kube_kinds import Json
from cockpit.sandbox.served.kube_replicas import owned_sets
from cockpit.sandbox.served.kube_rollout import bounds, counts, newest
from cockpit.sandbox.served.kube_store import Store, stamp


@dataclass(slots=True)
class _Mark:
    """Where a rollout stood when it last moved."""

    place: tuple[str, int, int, int]
    since_s: float


class Progress:
    """Writes deployments' statuses and remembers when each rollout last moved."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._marks: dict[str, _Mark] = {}

    def report(self, deployment: Json, now_s: float) -> None:
        """Write the status as it is now (no new version when nothing changed)."""
        metadata = deployment["metadata"]
        total, updated, ready = counts(self._store, deployment)
        new = newest(deployment, owned_sets(self._store, deployment))
        set_name = new["metadata"]["name"] if new is not None else ""
        mark = self._marks.setdefault(metadata["uid"], _Mark((set_name, 0, 0, 0), now_s))
        place = (set_name, total, updated, ready)
        if place != mark.place:
            mark.place, mark.since_s = place, now_s
        stalled_s = now_s - mark.since_s

        def change(edited: Json) -> None:
            edited["status"] = _status(edited, set_name, (total, updated, ready), stalled_s)

        self._store.edit("deployments", metadata["namespace"], metadata["name"], change)


def _status(deployment: Json, set_name: str, numbers: tuple[int, int, int], stalled_s: float) -> Json:
    total, updated, ready = numbers
    spec, before = deployment["spec"], deployment.get("status") or {}
    wanted = spec["replicas"]
    fields = {
        "replicas": total,
        "updatedReplicas": updated,
        "readyReplicas": ready,
        "availableReplicas": ready,
        "unavailableReplicas": max(0, max(total, wanted) - ready),
    }
    old = {condition["type"]: condition for condition in before.get("conditions", [])}
    is_complete = updated == total == ready == wanted
    progress = _progressing(deployment, set_name, old.get("Progressing"), is_complete, stalled_s)
    has_moved = {key: before.get(key, 0) for key in fields} != fields
    return {
        "observedGeneration": deployment["metadata"]["generation"],
        # Zeros are left out, as the real server does: clients must read "absent" as 0.
        **{key: value for key, value in fields.items() if value},
        "conditions": [
            _merged(old.get("Available"), _available(deployment, ready), is_update=False),
            _merged(old.get("Progressing"), progress, is_update=has_moved),
        ],
    }


def _available(deployment: Json, ready: int) -> Json:
    _, unavailable = bounds(deployment)
    if ready >= deployment["spec"]["replicas"] - unavailable:
        message = "Deployment has minimum availability."
        return {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable", "message": message}
    message = "Deployment does not have minimum availability."
    return {"type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable", "message": message}


def _progressing(deployment: Json, set_name: str, old: Json | None, is_complete: bool, stalled_s: float) -> Json:
    def says(status: str, reason: str, words: str) -> Json:
        message = f'ReplicaSet "{set_name}" {words}'
        return {"type": "Progressing", "status": status, "reason": reason, "message": message}

    finished = says("True", "NewReplicaSetAvailable", "has successfully progressed.")
    if is_complete:
        return finished
    if old is not None and old["reason"] == "NewReplicaSetAvailable" and old["message"] == finished["message"]:
        return finished  # a finished rollout stays finished: pods that fail later make it unavailable, not unfinished
    if deployment["spec"].get("paused"):
        return says("Unknown", "DeploymentPaused", "is paused")
    if stalled_s > deployment["spec"].get("progressDeadlineSeconds", 600):
        return says("False", "ProgressDeadlineExceeded", "has timed out progressing.")
    return says("True", "ReplicaSetUpdated", "is progressing.")


def _merged(old: Json | None, new: Json, *, is_update: bool) -> Json:
    """Keep the times of a condition that says what it said before."""
    now = stamp()
    is_same = old is not None and all(old.get(key) == value for key, value in new.items())
    turned = old["lastTransitionTime"] if old is not None and old["status"] == new["status"] else now
    updated = old["lastUpdateTime"] if old is not None and is_same and not is_update else now
    return {**new, "lastUpdateTime": updated, "lastTransitionTime": turned}
