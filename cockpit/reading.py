"""Reads the configuration's YAML: a name that stands twice in one mapping is an error, not half ignored."""

from __future__ import annotations

from typing import Any

import yaml


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


def read_yaml(text: str) -> Any:
    """What stands in the text.

    Raises:
        yaml.YAMLError: it is none, or a name stands twice in one of its parts.
    """
    return yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader that takes less
