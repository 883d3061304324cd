"""Sections of the configuration: frozen values, and how they come out of what was read, each problem at its place."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from msgspec import NODEFAULT, Struct, ValidationError, convert

from cockpit.errors import ConfigError

SHOWN = 5
"""So many problems are told; who mends these sees the others."""
_NAMES = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "date": "a date",
    "datetime": "a date with a time",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}
"""What the library's messages call a value -> what people call it."""


class Part(Struct, frozen=True):
    """A section of the file. Made in code it is taken as it is; `parsed` makes one of what somebody wrote."""


P = TypeVar("P", bound=Part)


def parsed(kind: type[P], raw: object) -> P:
    """The section, of plain values as YAML and JSON have them.

    The type of a field says what it may hold; functions in an `Annotated` are called with what was found, and give it
    back or raise a ValueError. Unknown keys are errors, so that a misspelt one is found.

    >>> class Wait(Part):
    ...     at_most_s: float = 2.0
    >>> parsed(Wait, {"at_most_s": 5})
    Wait(at_most_s=5.0)
    >>> parsed(Wait, {"at_most": 5, "at_most_s": "5"})
    Traceback (most recent call last):
    cockpit.errors.ConfigError:   at_most: unknown field
      at_most_s: expected a number, got text: take the quotes off

    Raises:
        ConfigError: it is none; a line for each of the first problems, with its place and not with the value, which
            could be a secret, but for a plain word where one of a few belongs.
    """
    reading = _Reading()
    found = reading.value(kind, raw, "")
    if reading.problems:
        more = [f"  and {len(reading.problems) - SHOWN} more"] if len(reading.problems) > SHOWN else []
        raise ConfigError("\n".join([*reading.problems[:SHOWN], *more]))
    part: P = found
    return part


class _Reading:
    """One pass: after a problem it goes on to find the next, and what it gives back is of no use."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def value(self, kind: Any, raw: object, place: str) -> Any:
        before = len(self.problems)
        try:
            found = self._of(kind, raw, place)
            for check in getattr(kind, "__metadata__", ()) if len(self.problems) == before else ():
                found = check(found) if callable(check) else found
        except ValueError as error:
            self._say(place, str(error))
            return None
        return found

    def _of(self, kind: Any, raw: object, place: str) -> Any:
        bare = _bare(kind)
        outer, inner = get_origin(bare), get_args(bare)
        if outer in (Union, UnionType):
            return None if raw is None else self.value(inner[0], raw, place)
        if outer is tuple:
            return tuple(self.value(inner[0], one, f"{place}.{number}") for number, one in enumerate(_plain(list, raw)))
        if outer is dict:
            return {
                self.value(inner[0], key, f"{place}.{key}"): self.value(inner[1], one, f"{place}.{key}")
                for key, one in _plain(dict, raw).items()
            }
        if isinstance(bare, type) and issubclass(bare, Part):
            return self._part(bare, raw, place)
        return _plain(kind, raw)

    def _part(self, kind: type[Part], raw: object, place: str) -> Part | None:
        if isinstance(raw, kind):
            return raw
        given, fields, found = _plain(dict, raw), _fields(kind), {}
        before, below = len(self.problems), f"{place}." if place else ""
        for name, one in given.items():
            if name in fields:
                found[name] = self.value(fields[name], one, f"{below}{name}")
            else:
                self._say(f"{below}{name}", "unknown field")
        for name in _required(kind):
            if name not in given:
                self._say(f"{below}{name}", "it is missing")
        return kind(**found) if len(self.problems) == before else None

    def _say(self, place: str, words: str) -> None:
        self.problems.append(f"  {place or '(top)'}: {words}")


def _bare(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


@cache
def _fields(kind: type[Part]) -> Mapping[str, Any]:
    return get_type_hints(kind, include_extras=True)


def _required(kind: type[Part]) -> Iterator[str]:
    names, usual = kind.__struct_fields__, kind.__struct_defaults__
    usual = (NODEFAULT,) * (len(names) - len(usual)) + usual
    return (name for name, value in zip(names, usual, strict=True) if value is NODEFAULT)


def _plain(kind: Any, raw: Any) -> Any:
    """One value that has no parts of its own, or whose parts are not looked at here.

    Raises:
        ValueError: it is of another kind; the text repeats nothing of it that could be a secret.
    """
    if kind is Path:
        return raw if isinstance(raw, Path) else Path(_plain(str, raw))
    known = _choices(_bare(kind))
    if known and raw not in known:
        raise ValueError(f"expected one of {', '.join(known)}{_misspelt(raw)}")
    try:
        found = convert(raw, kind)
    except ValidationError as error:
        raise ValueError(_words(str(error)) + (": take the quotes off" if _is_quoted(raw) else "")) from None
    if isinstance(found, float) and not math.isfinite(found):
        raise ValueError("expected a finite number")
    return found


def _choices(kind: Any) -> tuple[str, ...]:
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return tuple(kind)
    return get_args(kind) if get_origin(kind) is Literal else ()


def _misspelt(raw: object) -> str:
    """What was written where one of a few words belongs; not what could be a password that slipped in there.

    >>> _misspelt("LVIE"), _misspelt(False), _misspelt("hunter2"), _misspelt(None)
    (", not 'LVIE'", ', not false', '', '')
    """
    if isinstance(raw, str) and re.fullmatch(r"[A-Za-z_ -]{1,12}", raw):
        return f", not '{raw}'"
    return f", not {str(raw).lower()}" if isinstance(raw, bool | int) else ""


def _words(message: str) -> str:
    """What the library says, as an operator understands it.

    >>> _words("Expected `float` <= 1.0"), _words("Expected `array`, got `str`")
    ('expected a number <= 1.0', 'expected a list, got text')
    """
    if message.startswith("Invalid RFC3339"):
        message = "expected a date, YYYY-MM-DD"
    message = re.sub("`([^`]*)`", lambda name: _NAMES.get(name[1], name[1]), message)
    return message[:1].lower() + message[1:]


def _is_quoted(raw: object) -> bool:
    """Whether it would be a number or a truth without its quotes."""
    return isinstance(raw, str) and re.fullmatch(r"[-+]?[0-9.]+|true|false", raw) is not None
