"""Deployments: one decision at a time towards the template and the number of replicas that they ask for."""

from __future__ import annotations

import math
from typing import Any

from cockpit.sandbox.served.kube_events import EventLog
from cockpit.sandbox.served.kube_kinds import Json
from cockpit.sandbox.served.kube_replicas import (
    CAUSE,
    REVISION,
    ReplicaSets,
    is_leaving,
    is_ready,
    owned_pods,
    owned_sets,
    revision,
    template_hash,
)
from cockpit.sandbox.served.kube_store import Store


class Rollout:
    """Looks at a deployment and makes the next change, never more than one, so that no state can trap it."""

    def __init__(self, store: Store, events: EventLog) -> None:
        self._store = store
        self.sets = ReplicaSets(store, events)

    def step(self, deployment: Json) -> bool:
        """Make the next change; False when there is nothing to do for now."""
        sets = owned_sets(self._store, deployment)
        new = newest(deployment, sets)
        if new is None:
            if deployment["spec"].get("paused"):
                return False
            created = self.sets.create(deployment, template_hash(deployment["spec"]["template"]))
            return self._number(deployment, created, sets)
        old = [rs for rs in sets if rs is not new]
        if self._number(deployment, new, old):
            return True
        if deployment["spec"].get("paused"):
            return False
        if deployment["spec"]["strategy"].get("type") == "Recreate":
            return self._recreate(deployment, new, old)
        return self._roll(deployment, new, old) or self._tidy(deployment, old)

    def _number(self, deployment: Json, new: Json, old: list[Json]) -> bool:
        """Give the current replica set the highest revision, and the deployment the same."""
        top = max((revision(rs) for rs in old), default=0)
        number = revision(new) if revision(new) > top else top + 1
        annotations = {REVISION: str(number)}
        cause = (deployment["metadata"].get("annotations") or {}).get(CAUSE)
        is_changed = False
        for plural, item in (("replicasets", new), ("deployments", deployment)):
            wanted = annotations | ({CAUSE: cause} if cause and plural == "replicasets" else {})
            metadata = item["metadata"]
            if any((metadata.get("annotations") or {}).get(key) != value for key, value in wanted.items()):
                self._annotate(plural, item, wanted)
                is_changed = True
        return is_changed

    def _annotate(self, plural: str, item: Json, annotations: dict[str, str]) -> None:
        def change(edited: Json) -> None:
            edited["metadata"]["annotations"] = (edited["metadata"].get("annotations") or {}) | annotations

        self._store.edit(plural, item["metadata"]["namespace"], item["metadata"]["name"], change)

    def _recreate(self, deployment: Json, new: Json, old: list[Json]) -> bool:
        for rs in old:
            if rs["spec"]["replicas"]:
                self.sets.resize(deployment, rs, 0)
                return True
        if any(owned_pods(self._store, rs) for rs in old):
            return False  # the old pods' processes must have ended first
        return self._fit(deployment, new, deployment["spec"]["replicas"])

    def _fit(self, deployment: Json, rs: Json, replicas: int) -> bool:
        if rs["spec"]["replicas"] == replicas:
            return False
        self.sets.resize(deployment, rs, replicas)
        return True

    def _roll(self, deployment: Json, new: Json, old: list[Json]) -> bool:
        wanted: int = deployment["spec"]["replicas"]
        surge, unavailable = bounds(deployment)
        size: int = new["spec"]["replicas"]
        total = size + sum(rs["spec"]["replicas"] for rs in old)
        room = wanted + surge - total
        if size > wanted:
            return self._fit(deployment, new, wanted)
        if size < wanted and room > 0:
            return self._fit(deployment, new, size + min(room, wanted - size))
        return self._shrink(deployment, new, old, total - (wanted - unavailable))

    def _shrink(self, deployment: Json, new: Json, old: list[Json], spare: int) -> bool:
        """Take pods from old replica sets: broken ones first, serving ones only where enough others serve."""
        spare -= new["spec"]["replicas"] - self._serving(new)
        serving = self._serving(new) + sum(self._serving(rs) for rs in old)
        _, unavailable = bounds(deployment)
        free = serving - (deployment["spec"]["replicas"] - unavailable)
        for rs in old:
            size = rs["spec"]["replicas"]
            broken = min(size - self._serving(rs), spare)
            if size and broken > 0:
                return self._fit(deployment, rs, size - broken)
        for rs in old:
            size = rs["spec"]["replicas"]
            if size and min(free, spare) > 0:
                return self._fit(deployment, rs, size - min(size, free, spare))
        return False

    def _serving(self, rs: Json) -> int:
        return sum(1 for pod in owned_pods(self._store, rs) if is_ready(pod))

    def _tidy(self, deployment: Json, old: list[Json]) -> bool:
        """Forget the oldest empty replica set beyond the history's limit."""
        empty = [rs for rs in old if not rs["spec"]["replicas"] and not owned_pods(self._store, rs)]
        if len(empty) <= deployment["spec"].get("revisionHistoryLimit", 10):
            return False
        metadata = empty[0]["metadata"]
        self._store.remove("replicasets", metadata["namespace"], metadata["name"])
        return True


def newest(deployment: Json, sets: list[Json]) -> Json | None:
    """Return the replica set that has the deployment's template, None while there is none."""
    name = f"{deployment['metadata']['name']}-{template_hash(deployment['spec']['template'])}"
    return next((rs for rs in sets if rs["metadata"]["name"] == name), None)


def counts(store: Store, deployment: Json) -> tuple[int, int, int]:
    """Return how many pods there are, how many have the newest template, how many are ready."""
    sets = owned_sets(store, deployment)
    new = newest(deployment, sets)
    pods = [(rs is new, pod) for rs in sets for pod in owned_pods(store, rs) if not is_leaving(pod)]
    return len(pods), sum(1 for is_new, _ in pods if is_new), sum(1 for _, pod in pods if is_ready(pod))


def bounds(deployment: Json) -> tuple[int, int]:
    """Return how many pods more (rounded up) and fewer (rounded down) than wanted a rolling update may have."""
    wanted = deployment["spec"]["replicas"]
    rolling = deployment["spec"]["strategy"].get("rollingUpdate") or {}
    surge = _share(rolling.get("maxSurge", "25%"), wanted, is_up=True)
    unavailable = _share(rolling.get("maxUnavailable", "25%"), wanted, is_up=False)
    return surge, unavailable if surge or unavailable else 1


def _share(value: Any, wanted: int, *, is_up: bool) -> int:
    if isinstance(value, str) and value.endswith("%"):
        exact = wanted * int(value[:-1]) / 100
        return math.ceil(exact) if is_up else math.floor(exact)
    return int(value)
