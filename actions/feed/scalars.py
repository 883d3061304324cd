"""Exchanges single values in a YAML text and leaves every other byte as it was."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from cockpit.errors import NOT_OURS, ConfigError

PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
MOST_VALUES = 100_000


@dataclass(frozen=True, slots=True)
class Span:
    """Where a value stands in the text, and how it is written."""

    start: int
    end: int
    style: str
    """plain, ' or "; * for an alias, | for a block."""
    line: int


def replaced(text: str, values: Mapping[str, str]) -> str:
    """The text with the value at each dotted path exchanged.

    Raises:
        ConfigError: a path leads to no single value, or the change would change something else too.
    """
    wanted = _load(text)
    for path, value in values.items():
        _put(wanted, path, value)
    spans = sorted(((find(text, path), value) for path, value in values.items()), key=lambda one: -one[0].start)
    for span, value in spans:
        text = text[: span.start] + _written(value, span.style) + text[span.end :]
    # An anchor that is used elsewhere, a key that stands twice, a value that reads as a number: all are seen here.
    if repr(_load(text)) != repr(wanted):
        raise ConfigError("it cannot be changed alone: another value in the file hangs on it (an anchor?)")
    return text


def find(text: str, path: str) -> Span:
    """Where the value at a dotted path stands.

    Raises:
        ConfigError: there is none, or it is no single value in one place.
    """
    events = yaml.parse(text, Loader=yaml.SafeLoader)
    try:
        found = _Walk(events).at(path.split("."))
    except yaml.YAMLError as error:
        raise ConfigError(_words(error)) from None
    if found is None:
        raise ConfigError(f"there is no single value at {path}")
    return _span(text, found, path)


class _Walk:
    """One pass over the events of a document; composing would resolve aliases and lose where they stand."""

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self._events = events

    def at(self, path: list[str]) -> yaml.Event | None:
        """The event at the path, counted from the document's root."""
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                return self._value(path)
        return None

    def _value(self, path: list[str] | None) -> yaml.Event | None:
        """Consume one value; the event in it that the path names. None as a path only consumes."""
        event = next(self._events)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path)
        return event if path == [] else None

    def _mapping(self, path: list[str] | None) -> yaml.Event | None:
        found = None
        while not isinstance(key := next(self._events), yaml.MappingEndEvent):
            name = key.value if isinstance(key, yaml.ScalarEvent) else None
            if isinstance(key, yaml.MappingStartEvent):
                self._mapping(None)
            elif isinstance(key, yaml.SequenceStartEvent):
                self._sequence(None)
            is_on = bool(path) and name is not None and path is not None and name == path[0]
            inner = self._value(path[1:] if is_on and path else None)
            # Of a key that stands twice the last one counts.
            found = inner if is_on else found
        return found

    def _sequence(self, path: list[str] | None) -> yaml.Event | None:
        found, at = None, 0
        while True:
            event = next(self._events)
            if isinstance(event, yaml.SequenceEndEvent):
                return found
            rest = path[1:] if path and path[0] == str(at) else None
            if isinstance(event, yaml.MappingStartEvent):
                inner = self._mapping(rest)
            elif isinstance(event, yaml.SequenceStartEvent):
                inner = self._sequence(rest)
            else:
                inner = event if rest == [] else None
            found = inner if rest is not None else found
            at += 1


def _span(text: str, event: yaml.Event, path: str) -> Span:
    begins, ends = event.start_mark, event.end_mark
    assert begins is not None and ends is not None
    if isinstance(event, yaml.AliasEvent):
        return Span(begins.index, ends.index, "*", begins.line + 1)
    assert isinstance(event, yaml.ScalarEvent)
    end = ends.index
    # An event begins at its anchor or tag; the token is the bare value.
    tokens = yaml.scan(text, Loader=yaml.SafeLoader)
    token = next((one for one in tokens if isinstance(one, yaml.ScalarToken) and one.end_mark.index == end), None)
    if token is None or token.start_mark.index == end:
        raise ConfigError(f"the value at {path} is empty")
    start, style = token.start_mark.index, token.style or "plain"
    if style in "|>" or "\n" in text[start:end]:
        raise ConfigError(f"the value at {path} is written over several lines")
    return Span(start, end, style, token.start_mark.line + 1)


def _written(value: str, style: str) -> str:
    """The new value as the old one was written, where that is possible."""
    if style == '"':
        return json.dumps(value, ensure_ascii=False)
    is_plain = PLAIN.fullmatch(value) is not None and yaml.safe_load(value) == value
    if style in ("plain", "*") and is_plain:
        return value
    return "'" + value.replace("'", "''") + "'"


def _put(content: Any, path: str, value: str) -> None:
    """The same change on the parsed content."""
    *parents, last = path.split(".")
    for part in parents:
        content = _child(content, part, path)
    if isinstance(content, dict) and last in content:
        content[last] = value
    elif isinstance(content, list) and last.isdigit() and int(last) < len(content):
        content[int(last)] = value
    else:
        raise ConfigError(f"there is no value at {path}")


def _child(content: Any, part: str, path: str) -> Any:
    if isinstance(content, dict) and part in content:
        return content[part]
    if isinstance(content, list) and part.isdigit() and int(part) < len(content):
        return content[int(part)]
    raise ConfigError(f"there is no value at {path}")


def _load(text: str) -> Any:
    """Parsed, with nothing shared: what an alias names must count as a value of its own."""
    try:
        return _Copy().of(yaml.safe_load(text))
    except (yaml.YAMLError, *NOT_OURS) as error:
        raise ConfigError(_words(error)) from None


class _Copy:
    """A copy that stops before a few aliases of aliases have become gigabytes."""

    def __init__(self) -> None:
        self._left = MOST_VALUES

    def of(self, content: Any) -> Any:
        """A deep copy without sharing."""
        self._left -= 1
        if self._left < 0:
            raise ConfigError(f"it holds more than {MOST_VALUES} values")
        if isinstance(content, dict):
            return {key: self.of(value) for key, value in content.items()}
        if isinstance(content, list):
            return [self.of(value) for value in content]
        return content


def _words(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return f"it is not valid YAML{f', line {mark.line + 1}' if mark is not None else ''}"
