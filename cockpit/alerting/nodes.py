"""The YAML nodes of a file that somebody else wrote: typed values, and errors with line and column."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NoReturn

import yaml

from cockpit.errors import ConfigError
from cockpit.text import clean

TRUE = frozenset({"true", "yes", "on"})
FALSE = frozenset({"false", "no", "off"})
NULL = "tag:yaml.org,2002:null"


def place(node: yaml.Node) -> tuple[int, int]:
    """Line and column, counted from 1."""
    return node.start_mark.line + 1, node.start_mark.column + 1


def fail(node: yaml.Node, text: str) -> NoReturn:
    """It is wrong there.

    Raises:
        ConfigError: always.
    """
    line, column = place(node)
    raise ConfigError(f"line {line}, column {column}, {text}")


def is_null(node: yaml.Node) -> bool:
    """Whether nothing is written there."""
    return isinstance(node, yaml.ScalarNode) and node.tag == NULL


def entries(node: yaml.Node, what: str) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
    """Name, its node, and the value's node, of each entry of a mapping; none of an empty one."""
    if is_null(node):
        return
    if not isinstance(node, yaml.MappingNode):
        fail(node, f"{what} must be a mapping")
    seen: set[str] = set()
    for key, value in node.value:
        name = text(key, f"a name in {what}")
        if name in seen:
            fail(key, f"{clean(name, 40)} stands twice in {what}")
        seen.add(name)
        yield name, key, value


def text(node: yaml.Node, what: str) -> str:
    """A text, or anything else that is one word or line."""
    if not isinstance(node, yaml.ScalarNode):
        fail(node, f"{what} must be a text")
    return str(node.value)


def texts(node: yaml.Node, what: str) -> tuple[str, ...]:
    """A list of texts; a single one stands for a list of one."""
    if is_null(node):
        return ()
    if isinstance(node, yaml.SequenceNode):
        return tuple(text(one, f"each of {what}") for one in node.value)
    return (text(node, what),)


def boolean(node: yaml.Node, what: str) -> bool:
    """true or false."""
    word = text(node, what).lower()
    if word not in TRUE | FALSE:
        fail(node, f"{what} must be true or false")
    return word in TRUE


def number(node: yaml.Node, what: str) -> float:
    """A number that is not negative; a percent sign behind it is read over."""
    try:
        value = float(text(node, what).removesuffix("%").replace("_", ""))
    except ValueError:
        fail(node, f"{what} must be a number")
    if not math.isfinite(value) or value < 0:
        fail(node, f"{what} must be a number that is not negative")
    return value
