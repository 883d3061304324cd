"""Silences: matchers with an expiry that keep alerts from being active."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

SILENCES_KEPT = 100


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label."""

    name: str
    value: str
    is_regex: bool = False
    is_equal: bool = True

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Say whether the labels fulfil it; a missing label is an empty one."""
        found = labels.get(self.name, "")
        has = re.fullmatch(self.value, found) is not None if self.is_regex else found == self.value
        return has == self.is_equal


@dataclass(frozen=True, slots=True)
class Silence:
    """One silence."""

    id: str
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    updated_at: datetime
    created_by: str
    comment: str

    def state(self, now: datetime) -> str:
        """Return pending, active or expired."""
        if now >= self.ends_at:
            return "expired"
        return "active" if now >= self.starts_at else "pending"


class Silences:
    """Keeps silences; the long expired go first when there are too many."""

    def __init__(self) -> None:
        self._silences: dict[str, Silence] = {}

    def put(self, body: Mapping[str, Any]) -> str:
        """Keep a new silence, or a new version of one, and return its id; ValueError says what is wrong with it."""
        now = datetime.now(UTC)
        starts, ends = parse_time(body.get("startsAt")), parse_time(body.get("endsAt"))
        raw = body.get("matchers")
        if not isinstance(raw, list) or not raw:
            raise ValueError("at least one matcher required")
        if ends <= max(starts, now):
            raise ValueError("end time must be after start time and in the future")
        known = body.get("id")
        if known and known not in self._silences:
            raise KeyError(known)
        made = Silence(
            id=str(known or uuid4()),
            matchers=tuple(_matcher(item) for item in raw),
            starts_at=starts,
            ends_at=ends,
            updated_at=now,
            created_by=str(body.get("createdBy", ""))[:200],
            comment=str(body.get("comment", ""))[:1000],
        )
        if all(matcher.is_equal and not matcher.value for matcher in made.matchers):
            raise ValueError("at least one matcher must not match the empty string")
        self._silences[made.id] = made
        while len(self._silences) > SILENCES_KEPT:
            del self._silences[min(self._silences.values(), key=lambda silence: silence.ends_at).id]
        return made.id

    def expire(self, silence_id: str) -> bool:
        """End a silence now; False when there is none of this id."""
        known = self._silences.get(silence_id)
        if known is None:
            return False
        now = datetime.now(UTC)
        self._silences[silence_id] = replace(known, ends_at=min(known.ends_at, now), updated_at=now)
        return True

    def get(self, silence_id: str) -> Silence | None:
        """Return one silence."""
        return self._silences.get(silence_id)

    def all(self) -> list[Silence]:
        """Return every silence known, the expired too."""
        return list(self._silences.values())

    def silencing(self, labels: Mapping[str, str], now: datetime) -> list[str]:
        """Return the ids of the active silences that match."""
        return [
            silence.id
            for silence in self._silences.values()
            if silence.state(now) == "active" and all(matcher.matches(labels) for matcher in silence.matchers)
        ]


_MATCHER = re.compile(r'^\s*([A-Za-z_][\w.]*)\s*(=~|!~|!=|=)\s*"?(.*?)"?\s*$')


def read_matcher(text: str) -> Matcher:
    """Read a matcher as Alertmanager's `filter` writes it.

    >>> read_matcher('severity=~"crit.*"')
    Matcher(name='severity', value='crit.*', is_regex=True, is_equal=True)
    """
    match = _MATCHER.match(text)
    if match is None:
        raise ValueError(f"bad matcher format: {text}")
    name, operator, value = match.groups()
    return _checked(Matcher(name, value, is_regex="~" in operator, is_equal="!" not in operator))


def parse_time(text: object) -> datetime:
    """Read a timestamp; ValueError when it is none."""
    if not isinstance(text, str):
        raise ValueError("a time is missing")
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _matcher(item: Any) -> Matcher:
    if not isinstance(item, dict) or not isinstance(item.get("name"), str) or not isinstance(item.get("value"), str):
        raise ValueError("a matcher needs name and value")
    is_regex, is_equal = bool(item.get("isRegex", False)), bool(item.get("isEqual", True))
    return _checked(Matcher(item["name"], item["value"], is_regex, is_equal))


def _checked(matcher: Matcher) -> Matcher:
    if matcher.is_regex:
        try:
            re.compile(matcher.value)
        except re.error as problem:
            raise ValueError(f"bad regular expression: {problem}") from problem
    return matcher
