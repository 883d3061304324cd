"""Parts of a JSON answer that may have another shape than it should."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]


def part(thing: object, name: str) -> Json:
    """The object of that name; an empty one where there is none.

    >>> part({"spec": {"replicas": 2}}, "spec"), part({"spec": 7}, "spec"), part(None, "spec")
    ({'replicas': 2}, {}, {})
    """
    value = thing.get(name) if isinstance(thing, dict) else None
    return value if isinstance(value, dict) else {}


def parts(thing: object, name: str) -> list[Json]:
    """The objects in the list of that name.

    >>> parts({"alerts": [{"state": "ok"}, 7]}, "alerts"), parts({"alerts": 7}, "alerts")
    ([{'state': 'ok'}], [])
    """
    value = thing.get(name) if isinstance(thing, dict) else None
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
