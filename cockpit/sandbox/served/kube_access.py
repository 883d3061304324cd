"""SelfSubjectAccessReview: kubectl auth can-i, in JSON and in the protobuf that newer kubectls send."""

from __future__ import annotations

from collections.abc import Iterator

from cockpit.sandbox.served.kube_failure import KubeFailure
from cockpit.sandbox.served.kube_kinds import Json, is_allowed
from cockpit.sandbox.served.web import json_object

MAGIC = b"k8s\0"
# Field numbers of authorization.k8s.io/v1 ResourceAttributes.
ATTRIBUTES = {1: "namespace", 2: "verb", 3: "group", 4: "version", 5: "resource", 6: "subresource", 7: "name"}


def review(raw: bytes, home: str) -> Json:
    """Answer a review; a KubeFailure 400 when it cannot be read."""
    try:
        asked = _from_protobuf(raw) if raw.startswith(MAGIC) else _from_json(raw)
    except (ValueError, IndexError, AttributeError) as problem:
        raise KubeFailure(400, f"the review cannot be read: {problem}") from problem
    resource = asked.get("resource", "")
    if asked.get("subresource"):
        resource += "/" + asked["subresource"]
    verb, group, namespace = asked.get("verb", ""), asked.get("group", ""), asked.get("namespace", "")
    is_ok = is_allowed(verb, group, resource, namespace, home)
    reason = "role operator of the sandbox" if is_ok else f"role operator does not allow {verb} on {resource or 'this'}"
    return {
        "kind": "SelfSubjectAccessReview",
        "apiVersion": "authorization.k8s.io/v1",
        "metadata": {},
        "spec": {"resourceAttributes": {key: value for key, value in asked.items() if value}},
        "status": {"allowed": is_ok, "reason": reason},
    }


def _from_json(raw: bytes) -> dict[str, str]:
    attributes = json_object(raw).get("spec", {}).get("resourceAttributes") or {}
    return {str(key): str(value) for key, value in attributes.items()}


def _from_protobuf(raw: bytes) -> dict[str, str]:
    """Read runtime.Unknown{2: review{2: spec{1: attributes}}} behind the magic number."""
    level = raw[len(MAGIC) :]
    for number in (2, 2, 1):
        level = dict(_fields(level)).get(number, b"")
    return {ATTRIBUTES[number]: value.decode() for number, value in _fields(level) if number in ATTRIBUTES}


def _fields(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """Return the length-delimited fields of a message; other wire types are stepped over."""
    place = 0
    while place < len(raw):
        key, place = _varint(raw, place)
        wire = key & 7
        if wire == 2:
            size, place = _varint(raw, place)
            if place + size > len(raw):
                raise ValueError("a field ends beyond its message")
            yield key >> 3, raw[place : place + size]
            place += size
        elif wire == 0:
            _, place = _varint(raw, place)
        elif wire in (1, 5):
            place += 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire}")


def _varint(raw: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = raw[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
