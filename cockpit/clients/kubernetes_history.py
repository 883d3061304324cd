"""What `kubectl rollout undo` goes by: the replica sets of a deployment, and how their templates differ."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any

from cockpit.clients.parts import Json, part, parts
from cockpit.text import clean

REVISION = "deployment.kubernetes.io/revision"
HASH_LABEL = "pod-template-hash"
KEPT = (
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    "deployment.kubernetes.io/revision-history",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deprecated.deployment.rollback.to",
)
"""Annotations that stay the deployment's own when it is rolled back; kubectl's list."""
MOST_CHANGES = 8
LONGEST_REVISION = 18
"""Digits of an int64, which it is."""


def revision(item: Json) -> int:
    """The number that the controller gave it; 0 where it has none yet.

    >>> revision({"metadata": {"annotations": {"deployment.kubernetes.io/revision": "3"}}}), revision({})
    (3, 0)
    """
    text = str(notes_of(item).get(REVISION, ""))
    return int(text) if text.isdecimal() and len(text) <= LONGEST_REVISION else 0


def notes_of(item: Json) -> Json:
    """Its annotations."""
    return part(part(item, "metadata"), "annotations")


def before(deployment: Json, sets: Iterable[Json]) -> Json | None:
    """The replica set that undo goes back to: the second newest of this deployment; None where there is none."""
    uid = part(deployment, "metadata").get("uid")
    own = sorted((one for one in sets if _owner(one) == uid and revision(one)), key=revision)
    return own[-2] if len(own) > 1 else None


def template_of(item: Json) -> dict[str, Any]:
    """Its pods' template, without the label that only the replica set adds."""
    template: dict[str, Any] = json.loads(json.dumps(part(part(item, "spec"), "template")))
    labels = part(part(template, "metadata"), "labels")
    if isinstance(labels, dict):
        labels.pop(HASH_LABEL, None)
    return template


def template_id(item: Json) -> str:
    """Names a template; what is empty makes no difference, for servers and clients write it or leave it out."""
    said = json.dumps(_bare(template_of(item)), sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:12]


def changes(now: Json, then: Json) -> tuple[str, ...]:
    """What going back would change in the template, in words; of values only those that are no secret by nature.

    >>> old = {"spec": {"template": {"spec": {"containers": [{"name": "api", "image": "api:1"}]}}}}
    >>> new = {"spec": {"template": {"spec": {"containers": [{"name": "api", "image": "api:2"}]}}}}
    >>> changes(new, old)
    ('image of api: api:2 to api:1',)
    """
    ours, theirs = dict(_flat(_bare(template_of(now)))), dict(_flat(_bare(template_of(then))))
    differing = sorted(path for path in {*ours, *theirs} if ours.get(path) != theirs.get(path))
    words = [_words(path, ours.get(path), theirs.get(path)) for path in differing]
    words = list(dict.fromkeys(words))
    more = [f"and {len(words) - MOST_CHANGES} more"] if len(words) > MOST_CHANGES else []
    return (*words[:MOST_CHANGES], *more)


def _owner(item: Json) -> object:
    owners = parts(part(item, "metadata"), "ownerReferences")
    return next((one.get("uid") for one in owners if one.get("controller")), None)


def _bare(value: Any) -> Any:
    """Without what is empty."""
    if isinstance(value, dict):
        found = {name: _bare(one) for name, one in value.items()}
        return {name: one for name, one in found.items() if one not in (None, "", [], {})}
    return [_bare(one) for one in value] if isinstance(value, list) else value


def _flat(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield from _flat(one, (*path, str(name)))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            name = one.get("name", index) if isinstance(one, dict) else index
            yield from _flat(one, (*path, str(name)))
    else:
        yield path, value


def _words(path: tuple[str, ...], ours: object, theirs: object) -> str:
    match path:
        case ("spec", "containers" | "initContainers", name, "image"):
            return clean(f"image of {name}: {ours or 'none'} to {theirs or 'none'}", 160)
        case ("metadata", "annotations", name):
            return clean(f"annotation {name}: {ours or 'none'} to {theirs or 'none'}", 160)
        case ("spec", "containers" | "initContainers", name, "env", variable, *_):
            return clean(f"environment of {name}: {variable}")
    return clean(".".join(path))
