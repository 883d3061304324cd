"""Reads the configuration's YAML: a name that stands twice in one mapping is an error, not half ignored."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any

import yaml

OURS: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""For files that come with the product: libyaml is ten times as fast, and ends the process where a text is nested very
deeply, which only somebody else's can be."""


class _Loader(yaml.SafeLoader):
    """Knows no mapping in which a name stands twice: the first one would be read over."""

    def compose_mapping_node(self, anchor: Any) -> Any:
        node = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"{key.value} stands twice", problem_mark=key.start_mark)
            seen.add(str(key.value))
        return node


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+\Z"), list("-+0123456789")
)
"""1e6 is a number, as in JSON and to whoever writes it; YAML of old asks for 1.0e+6."""


def read_yaml(text: str) -> Any:
    """What stands in the text; JSON, as the copies beside the jobs are, is read a hundred times as fast.

    Raises:
        yaml.YAMLError: it is none, or a name stands twice in one of its parts.
    """
    # JSON joins two halves of a surrogate pair, which a name may hold next to one another.
    if text.startswith("{") and "\\ud" not in text:
        with suppress(json.JSONDecodeError):
            return json.loads(text, object_pairs_hook=_once)
    return yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader that takes less


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise yaml.YAMLError(f"{next(name for name in names if names.count(name) > 1)} stands twice")
    return found
