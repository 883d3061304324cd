"""Label and field selectors."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from cockpit.sandbox.served.kube_failure import KubeFailure

Json = dict[str, Any]
Test = Callable[[Json], bool]

_SET = re.compile(r"^\s*([\w./-]+)\s+(in|notin)\s+\(([^()]*)\)\s*$")
_EQUAL = re.compile(r"^\s*([\w./-]+)\s*(==|=|!=)\s*([\w.-]*)\s*$")
_EXISTS = re.compile(r"^\s*(!?)\s*([\w./-]+)\s*$")
# Commas inside brackets belong to a set.
_COMMA = re.compile(r",(?![^(]*\))")


def selector(labels: str, fields: str) -> Test:
    """Return the test that both selectors together ask for; a KubeFailure 400 where one cannot be read."""
    tests = [_label(term) for term in _terms(labels)] + [_field(term) for term in _terms(fields)]
    return lambda item: all(test(item) for test in tests)


def _terms(text: str) -> list[str]:
    return [term for term in _COMMA.split(text) if term.strip()]


def _label(term: str) -> Test:
    if match := _SET.match(term):
        key, operator, values = match.groups()
        wanted = {value.strip() for value in values.split(",")}
        if operator == "in":
            return lambda item: _labels(item).get(key) in wanted
        return lambda item: _labels(item).get(key) not in wanted
    if match := _EQUAL.match(term):
        key, operator, value = match.groups()
        if operator == "!=":
            return lambda item: _labels(item).get(key) != value
        return lambda item: _labels(item).get(key) == value
    if match := _EXISTS.match(term):
        negation, key = match.groups()
        return lambda item: (key in _labels(item)) != bool(negation)
    raise KubeFailure(400, f"unable to parse requirement: {term!r}")


def _field(term: str) -> Test:
    match = re.match(r"^\s*([\w.]+)\s*(==|=|!=)\s*(.*?)\s*$", term)
    if match is None:
        raise KubeFailure(400, f"invalid field selector: {term!r}")
    path, operator, value = match.groups()
    keys = path.split(".")
    if operator == "!=":
        return lambda item: _dig(item, keys) != value
    return lambda item: _dig(item, keys) == value


def _labels(item: Json) -> dict[str, str]:
    found: dict[str, str] = item["metadata"].get("labels") or {}
    return found


def _dig(item: Json, keys: list[str]) -> str:
    value: Any = item
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return "" if value is None else str(value)
