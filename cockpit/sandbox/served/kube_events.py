"""The cluster's events: what kubectl describe lists at its end."""

from __future__ import annotations

from cockpit.sandbox.served.kube_kinds import Json
from cockpit.sandbox.served.kube_store import Store, stamp

EVENTS_KEPT = 60


class EventLog:
    """Counts what repeats and forgets what is old."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._names: dict[tuple[str, str, str], tuple[str, str]] = {}

    def note(self, about: Json, reason: str, message: str, *, is_warning: bool = False) -> None:
        """Record that something happened to an object."""
        key = (about["metadata"]["uid"], reason, message)
        known = self._names.get(key)
        if known is not None and self._store.edit("events", *known, _again) is not None:
            return
        created = self._store.add("events", _event(about, reason, message, self._store.suffix(16), is_warning))
        self._names[key] = (created["metadata"]["namespace"], created["metadata"]["name"])
        while len(self._names) > EVENTS_KEPT:
            oldest = next(iter(self._names))
            self._store.remove("events", *self._names.pop(oldest))


def _again(event: Json) -> None:
    event["count"] += 1
    event["lastTimestamp"] = stamp()


def _event(about: Json, reason: str, message: str, suffix: str, is_warning: bool) -> Json:
    metadata = about["metadata"]
    component = "kubelet" if about["kind"] == "Pod" else f"{about['kind'].lower()}-controller"
    return {
        "metadata": {"name": f"{metadata['name']}.{suffix}", "namespace": metadata["namespace"]},
        "involvedObject": {
            "kind": about["kind"],
            "apiVersion": about["apiVersion"],
            "namespace": metadata["namespace"],
            "name": metadata["name"],
            "uid": metadata["uid"],
        },
        "reason": reason,
        "message": message,
        "source": {"component": component},
        "firstTimestamp": stamp(),
        "lastTimestamp": stamp(),
        "count": 1,
        "type": "Warning" if is_warning else "Normal",
        "reportingComponent": component,
        "reportingInstance": "",
    }
