"""Whatever a model may leave out, put in: so that a text stands in every place where one can."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from functools import cache, lru_cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import cockpit.model
from cockpit.model.sample import Sample

DEPTH = 3
"""A thing that may hold one of its own kind holds so many."""


@lru_cache(maxsize=1)
def _names() -> dict[str, Any]:
    modules = [
        importlib.import_module(f"cockpit.model.{each.name}") for each in pkgutil.iter_modules(cockpit.model.__path__)
    ]
    return {name: value for module in modules for name, value in vars(module).items() if not name.startswith("__")}


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind, localns=_names())


def example(hint: Any, text: str, depth: int = DEPTH) -> Any:
    """Something of that type, with all its texts."""
    origin, arguments = get_origin(hint), [each for each in get_args(hint) if each is not NoneType]
    if origin in (Union, UnionType):
        return example(arguments[0], text, depth) if depth else None
    if origin is tuple:
        if arguments[-1] is Ellipsis:
            return (example(arguments[0], text, depth - 1),) if depth else ()
        return tuple(example(each, text, depth) for each in arguments)
    if origin is not None and issubclass(origin, Mapping):
        return {}
    if origin is Sample:
        return Sample(value=example(arguments[0], text, depth))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return next(iter(hint))
    if isinstance(hint, type) and is_dataclass(hint):
        return hint(**{each.name: example(_hints(hint)[each.name], text, depth) for each in fields(hint) if each.init})
    return {str: text, bool: True, int: 1, float: 1.0}.get(hint, text)


def grown(value: Any, text: str) -> Any:
    """The same thing with all that it leaves out, but for numbers: those say what has happened."""
    if isinstance(value, tuple):
        return tuple(grown(each, text) for each in value)
    if not is_dataclass(value) or isinstance(value, type):
        return value
    if isinstance(value, Sample):
        return replace(value, value=grown(value.value, text))
    changed = {}
    for each in fields(value):
        found, hint = getattr(value, each.name), _hints(type(value))[each.name]
        if found is None or found == ():
            made = example(hint, text)
            changed[each.name] = found if isinstance(made, int | float) else made
        else:
            changed[each.name] = grown(found, text)
    return replace(value, **changed)
