"""The three patches that kubectl sends: JSON patch, merge patch and strategic merge patch."""

from __future__ import annotations

import copy
import json
from typing import Any

from cockpit.sandbox.served.kube_failure import KubeFailure

Json = dict[str, Any]

# Lists that a strategic merge patch merges item by item, and by which key.
MERGE_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "ports": "containerPort",
    "conditions": "type",
    "ownerReferences": "uid",
}


def patched(target: Json, content_type: str, raw: bytes) -> Json:
    """Return a patched copy; a KubeFailure when the patch cannot be read or applied."""
    try:
        patch = json.loads(raw)
    except ValueError as problem:
        raise KubeFailure(400, f"the patch is not JSON: {problem}") from problem
    copied = copy.deepcopy(target)
    if content_type == "application/json-patch+json":
        return _json_patch(copied, patch)
    if not isinstance(patch, dict):
        raise KubeFailure(400, "the patch must be an object")
    if content_type == "application/merge-patch+json":
        return _merge(copied, patch)
    if content_type == "application/strategic-merge-patch+json":
        return _strategic(copied, patch)
    raise KubeFailure(415, f"unsupported patch type: {content_type}")


def _merge(target: Json, patch: Json) -> Json:
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict):
            old = target.get(key)
            target[key] = _merge(old if isinstance(old, dict) else {}, value)
        else:
            target[key] = value
    return target


def _strategic(target: Json, patch: Json) -> Json:
    if patch.get("$patch") == "replace":
        return {key: value for key, value in patch.items() if key != "$patch"}
    for key, value in patch.items():
        if key.startswith("$deleteFromPrimitiveList/"):
            name = key.partition("/")[2]
            target[name] = [item for item in target.get(name, []) if item not in value]
        elif key.startswith("$"):
            continue  # $setElementOrder and $retainKeys only say what the merge does anyway
        elif value is None or (isinstance(value, dict) and value.get("$patch") == "delete"):
            target.pop(key, None)
        elif isinstance(value, dict):
            old = target.get(key)
            target[key] = _strategic(old if isinstance(old, dict) else {}, value)
        elif isinstance(value, list) and key in MERGE_KEYS and all(isinstance(item, dict) for item in value):
            target[key] = _merge_list(target.get(key) or [], value, MERGE_KEYS[key])
        else:
            target[key] = value
    return target


def _merge_list(old: list[Json], patch: list[Json], key: str) -> list[Json]:
    if any(item.get("$patch") == "replace" for item in patch):
        return [item for item in patch if "$patch" not in item]
    merged = {item.get(key): item for item in old}
    for item in patch:
        if item.get("$patch") == "delete":
            merged.pop(item.get(key), None)
        else:
            merged[item.get(key)] = _strategic(merged.get(item.get(key), {}), item)
    return list(merged.values())


def _json_patch(target: Json, operations: Any) -> Json:
    if not isinstance(operations, list):
        raise KubeFailure(400, "a JSON patch must be a list")
    for operation in operations:
        try:
            _operate(target, operation["op"], operation["path"], operation.get("value"))
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as problem:
            raise KubeFailure(422, f"the patch cannot be applied: {operation}") from problem
    return target


def _operate(target: Json, operator: str, path: str, value: Any) -> None:
    *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]
    place: Any = target
    for part in parents:
        place = place[int(part)] if isinstance(place, list) else place[part]
    if isinstance(place, list):
        _operate_on_list(place, operator, last, value)
    elif operator == "test":
        if place.get(last) != value:
            raise ValueError(f"{path} is something else")
    elif operator == "remove":
        del place[last]
    elif operator == "add" or (operator == "replace" and last in place):
        place[last] = value
    else:
        raise ValueError(f"cannot {operator} {path}")


def _operate_on_list(place: list[Any], operator: str, last: str, value: Any) -> None:
    index = len(place) if last == "-" else int(last)
    if operator == "add":
        place.insert(index, value)
    elif operator == "replace":
        place[index] = value
    elif operator == "remove":
        del place[index]
    elif operator != "test" or place[index] != value:
        raise ValueError(f"cannot {operator} {last}")
