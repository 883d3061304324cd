"""Facts out of JSON that somebody else may have written: every field of its own type, every moment one of the calendar.

What only looks like a fact would be found out by whoever draws it, and end the cockpit. Not by the library that the
configuration is read with: it takes infinity for a number.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from cockpit.errors import NOT_OURS
from cockpit.storage.journal import FAR_S

T = TypeVar("T")


def typed(kind: type[T], content: str | bytes) -> T:
    """The fact.

    Raises:
        ValueError: it is none of this kind.
    """
    try:
        return made(kind, json.loads(content))
    except NOT_OURS as error:
        raise ValueError(f"it is no {kind.__name__}: {type(error).__name__}") from error


def made(kind: type[T], raw: object) -> T:
    """The same of JSON that was read already; numbers stay as they were written.

    Raises:
        TypeError, ValueError, LookupError, OverflowError: it is none of this kind.
    """
    found: T = _as(kind, raw)
    if not 0 <= getattr(found, "at", 0.0) < FAR_S:
        raise ValueError("its moment is none")
    return found


def _as(kind: Any, raw: Any) -> Any:
    """The value as one of this kind.

    >>> _as(tuple[float, ...], [1, 2.5]), _as(str | None, None)
    ((1, 2.5), None)
    """
    parts = get_args(kind)
    if isinstance(kind, UnionType):
        if any(_is_of(part, raw) for part in parts):
            return raw
        raise TypeError(kind)
    if get_origin(kind) is tuple:
        if not isinstance(raw, list):
            raise TypeError(kind)
        kinds = parts[:1] * len(raw) if parts[1:] == (...,) else parts
        return tuple(_as(part, each) for part, each in zip(kinds, raw, strict=True))
    if _is_fact(kind):
        hints = _hints(kind)
        return kind(**{name: _as(hints[name], value) for name, value in dict(raw).items()})
    if issubclass(kind, Enum):
        return kind(raw)
    if not _is_of(kind, raw):
        raise TypeError(kind)
    return raw


def _is_of(kind: Any, raw: object) -> bool:
    """Whether a plain value is of that type; a truth is no number, and a number is one that can be shown."""
    if kind in (int, float):
        is_number = isinstance(raw, (int, kind)) and not isinstance(raw, bool)
        return is_number and math.isfinite(float(raw))  # type: ignore[arg-type]
    return isinstance(raw, NoneType if kind is None else kind)


def _is_fact(kind: Any) -> bool:
    return is_dataclass(kind)


@cache
def _hints(kind: Any) -> Mapping[str, Any]:
    return get_type_hints(kind)
