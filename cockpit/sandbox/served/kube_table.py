"""Tables: what kubectl get prints is made by the server."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from cockpit.sandbox.served.kube_kinds import Json, Kind
from cockpit.sandbox.served.kube_store import parse_stamp

Row = Callable[[Json], list[Any]]

_NARROW: dict[str, tuple[str, ...]] = {
    "deployments": ("Name", "Ready", "Up-to-date", "Available", "Age"),
    "replicasets": ("Name", "Desired", "Current", "Ready", "Age"),
    "pods": ("Name", "Ready", "Status", "Restarts", "Age"),
    "namespaces": ("Name", "Status", "Age"),
    "events": ("Last Seen", "Type", "Reason", "Object", "Message"),
}
_WIDE: dict[str, tuple[str, ...]] = {
    "deployments": ("Containers", "Images", "Selector"),
    "replicasets": ("Containers", "Images", "Selector"),
    "pods": ("IP", "Node", "Nominated Node", "Readiness Gates"),
}
_NUMBERS = ("Up-to-date", "Available", "Desired", "Current")


def table(kind: Kind, items: list[Json], revision: int, *, has_columns: bool = True, is_whole: bool = False) -> Json:
    """Return a Table of objects; rows carry the whole object or only its metadata."""
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": str(revision)},
        "columnDefinitions": _columns(kind.plural) if has_columns else [],
        "rows": [{"cells": _ROWS[kind.plural](item), "object": _carried(item, is_whole=is_whole)} for item in items],
    }


def age(seconds: float) -> str:
    """Return a duration as kubectl prints it.

    >>> [age(s) for s in (-1, 5, 119, 125, 480, 700, 10800, 40000, 200000, 900000)]
    ['0s', '5s', '119s', '2m5s', '8m', '11m', '3h', '11h', '2d7h', '10d']
    """
    whole = max(0, int(seconds))
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if whole < 120:
        return f"{whole}s"
    if minutes < 10:
        return f"{minutes}m{whole % 60}s" if whole % 60 else f"{minutes}m"
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return f"{days}d{hours % 24}h" if hours % 24 else f"{days}d"
    return f"{days}d"


def pod_phase(pod: Json) -> str:
    """Return the one word that kubectl shows of a pod: its trouble if it has any."""
    if "deletionTimestamp" in pod["metadata"]:
        return "Terminating"
    for container in pod["status"].get("containerStatuses", []):
        state = container["state"]
        trouble = state.get("waiting") or state.get("terminated")
        if trouble:
            return str(trouble.get("reason", "Unknown"))
    return str(pod["status"].get("phase", "Unknown"))


def _columns(plural: str) -> list[Json]:
    names = [(name, 0) for name in _NARROW[plural]] + [(name, 1) for name in _WIDE.get(plural, ())]
    return [
        {
            "name": name,
            "type": "integer" if name in _NUMBERS else "string",
            "format": "name" if name == "Name" else "",
            "description": name,
            "priority": priority,
        }
        for name, priority in names
    ]


def _carried(item: Json, *, is_whole: bool) -> Json:
    if is_whole:
        return item
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": item["metadata"]}


def _since(text: str) -> str:
    return age((datetime.now(UTC) - parse_stamp(text)).total_seconds())


def _template_cells(item: Json) -> list[Any]:
    containers = item["spec"]["template"]["spec"]["containers"]
    match = item["spec"]["selector"].get("matchLabels") or {}
    return [
        ",".join(container["name"] for container in containers),
        ",".join(container["image"] for container in containers),
        ",".join(f"{key}={value}" for key, value in match.items()),
    ]


def _deployment_row(item: Json) -> list[Any]:
    status, wanted = item.get("status") or {}, item["spec"]["replicas"]
    ready = f"{status.get('readyReplicas', 0)}/{wanted}"
    counts = [status.get("updatedReplicas", 0), status.get("availableReplicas", 0)]
    metadata = item["metadata"]
    return [metadata["name"], ready, *counts, _since(metadata["creationTimestamp"]), *_template_cells(item)]


def _replica_set_row(item: Json) -> list[Any]:
    status, metadata = item.get("status") or {}, item["metadata"]
    counts = [item["spec"]["replicas"], status.get("replicas", 0), status.get("readyReplicas", 0)]
    return [metadata["name"], *counts, _since(metadata["creationTimestamp"]), *_template_cells(item)]


def _pod_row(item: Json) -> list[Any]:
    status, metadata = item["status"], item["metadata"]
    containers = status.get("containerStatuses", [])
    ready = f"{sum(1 for c in containers if c['ready'])}/{len(item['spec']['containers'])}"
    restarts = sum(c["restartCount"] for c in containers)
    ends = [c["lastState"]["terminated"]["finishedAt"] for c in containers if c["lastState"].get("terminated")]
    text = f"{restarts} ({_since(max(ends))} ago)" if restarts and ends else str(restarts)
    wide = [status.get("podIP", "<none>"), item["spec"].get("nodeName", "<none>"), "<none>", "<none>"]
    return [metadata["name"], ready, pod_phase(item), text, _since(metadata["creationTimestamp"]), *wide]


def _namespace_row(item: Json) -> list[Any]:
    metadata = item["metadata"]
    return [metadata["name"], item["status"]["phase"], _since(metadata["creationTimestamp"])]


def _event_row(item: Json) -> list[Any]:
    about = item["involvedObject"]
    seen = _since(item["lastTimestamp"])
    return [seen, item["type"], item["reason"], f"{about['kind'].lower()}/{about['name']}", item["message"]]


_ROWS: dict[str, Row] = {
    "deployments": _deployment_row,
    "replicasets": _replica_set_row,
    "pods": _pod_row,
    "namespaces": _namespace_row,
    "events": _event_row,
}
