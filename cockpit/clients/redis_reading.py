"""What one round trip to Redis brings home: facts about keys, not yet judged, each key with its own failure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from cockpit.clients.redis_facts import Fields, id_order, text
from cockpit.errors import Denied, Refused
from cockpit.model.states import age_s
from cockpit.text import clean

SHORTEST_MS = 300
"""Rates are counted over at least this long; orders come in some ten bursts a second."""


class KeyFault(NamedTuple):
    """Why one key could not be read; the others were."""

    reason: str
    is_denied: bool = False
    """Whether it is our rights that are wrong."""

    def error(self, of: str) -> Refused:
        """The same, to be raised about this."""
        return (Denied if self.is_denied else Refused)(f"{of}: {self.reason}")


class GroupFacts(NamedTuple):
    """One consumer group, as XINFO GROUPS and a bounded count tell; None = unknown."""

    name: str
    consumers: int
    pending: int
    delivered_id: str
    lag: int | None
    is_lag_capped: bool
    next_id: str | None
    """The oldest entry that was not delivered, where that is known and nothing older is pending."""
    entries_read: int | None
    oldest_pending_id: str | None


class StreamFacts(NamedTuple):
    """One stream; None = unknown, or none."""

    depth: int
    last_id: str
    first_id: str | None
    added: int | None
    """Entries ever added (Redis 7)."""
    new: int | None
    """Entries added since the reading before, or since `since_ms`."""
    since_ms: int | None
    """Where counting began, if not at the reading before: the first time, or with too many new entries."""
    groups: tuple[GroupFacts, ...]
    ticks: tuple[tuple[int, int | None], ...] = ()
    """Tick streams: when each new entry arrived and the exchange's own time in it, in ms, oldest first."""
    newest: bytes | None = None
    """The newest entry's payload, where it was asked for."""


Hash = Fields | None | KeyFault
"""None = the key does not exist."""
StreamAnswer = StreamFacts | None | KeyFault


class Anew(NamedTuple):
    """Which streams' answers are not the very ones of a reading before."""

    since: Mapping[str, StreamAnswer]
    """The streams of that reading."""
    keys: frozenset[str]


@dataclass(frozen=True, slots=True)
class WallReading:
    """All of Redis that the wall shows, at one moment of Redis' own clock."""

    now_ms: int
    before_ms: int | None
    """The moment of the reading that rates are counted from; None for the first one."""
    round_trip_ms: float
    info: Fields | KeyFault
    config: Fields
    """Empty where CONFIG may not be read."""
    hashes: Mapping[str, Hash] = field(default_factory=dict)
    streams: Mapping[str, StreamAnswer] = field(default_factory=dict)
    anew: Anew | None = None
    """None = any of the streams may be another."""
    fault: str | None = None
    """Why there are no keys although the server answers: it is loading its data."""
    note: str | None = None
    """Said where the reading was made another way than usual."""

    @property
    def may_be_counted_from(self) -> bool:
        """Whether the next reading may count from this one: two in quick succession would make rates of chance."""
        if self.fault is not None:
            return False
        return self.before_ms is None or not 0 <= self.now_ms - self.before_ms < SHORTEST_MS

    def age_s(self, at_ms: int | None) -> float | None:
        """Seconds since then by Redis' own clock; None where that lies ahead, for nobody knows when it was."""
        return age_s(at_ms, self.now_ms)

    def fields(self, key: str) -> Fields:
        """A hash; empty where the key does not exist.

        Raises:
            Refused: the key, or all of them, could not be read.
        """
        return self.find(key) or {}

    def find(self, key: str) -> Fields | None:
        """A hash, None where the key does not exist; raises as `fields` does."""
        if self.fault is not None:
            raise Refused(self.fault)
        found = self.hashes.get(key)
        if isinstance(found, KeyFault):
            raise found.error(clean(key, 60))
        return found

    def stream(self, key: str) -> StreamFacts | None:
        """A stream, None where the key does not exist; raises as `fields` does."""
        if self.fault is not None:
            raise Refused(self.fault)
        found = self.streams.get(key)
        if isinstance(found, KeyFault):
            raise found.error(clean(key, 60))
        return found


def hash_answer(raw: Any) -> Hash:
    """One answer of redis_hashes.lua."""
    if raw[0] == 0:
        return None
    if raw[0] == -1:
        return _fault(raw[1])
    flat = iter(raw[1])
    return {text(name): text(value) for name, value in zip(flat, flat, strict=True)}


def stream_answer(raw: Any, before: StreamAnswer) -> StreamAnswer:
    """One answer of redis_streams.lua, with what the reading before said of the same stream."""
    if raw[0] == 0:
        return None
    if raw[0] == -1:
        return _fault(raw[1])
    _, depth, last_raw, first_raw, added, new, since_ms, groups, extra = raw
    last_id = last_raw.decode()
    if isinstance(before, StreamFacts):
        if last_id != before.last_id and id_order(last_id) < id_order(before.last_id):
            # The stream was made anew: nothing is known of what came since the reading before.
            new, since_ms, extra = -1, -1, extra if isinstance(extra, bytes) else None
        elif before.added is not None and added >= 0:
            new, since_ms = added - before.added, -1
    is_payload = isinstance(extra, bytes)
    return StreamFacts(
        depth,
        last_id,
        first_raw.decode() or None,
        added if added >= 0 else None,
        new if new >= 0 else None,
        since_ms if since_ms >= 0 else None,
        tuple([_group(group) for group in groups]) if groups else (),
        _ticks(extra) if extra and not is_payload else (),
        (extra or None) if is_payload else None,
    )


def unpacked(line: bytes) -> Any:
    r"""A line of redis_streams.lua as Redis would have replied it: what is text in JSON is bytes, and may be no UTF-8.

    >>> unpacked(b'[1, 2, "1-0", [["gr\xff", 1]], {}]')
    [1, 2, b'1-0', [[b'gr\xff', 1]], []]
    """
    try:
        said = msgspec.json.decode(line)
    except ValueError:
        said = json.loads(line.decode("utf-8", "surrogateescape"), strict=False)
    return _parts(said)


def _parts(said: Any) -> list[Any]:
    """Most are numbers, and stay what they are without a call each."""
    return [part if type(part) is int else _replied(part) for part in said]


def _replied(part: Any) -> Any:
    kind = type(part)
    if kind is str:
        return part.encode("utf-8", "surrogateescape")
    if (kind is not list and kind is not dict) or (part and kind is list and type(part[0]) is int):
        return part  # where there is one number in a list, there are only numbers: the times of ticks
    # Lua does not tell an empty list from an empty object.
    return _parts(part)


def is_still(answer: StreamAnswer) -> bool:
    """Whether the same words of the server, said again, would make the same facts again."""
    return isinstance(answer, StreamFacts) and answer.new == 0 and answer.since_ms is None and not answer.ticks


def _fault(raw: Any) -> KeyFault:
    """The versions word a denial in a script differently, and at length."""
    reason = text(raw)
    is_denied = "NOPERM" in reason or "No permissions" in reason or "can't access at least one of the keys" in reason
    return KeyFault("no permission to read it" if is_denied else clean(reason), is_denied)


def _group(raw: Any) -> GroupFacts:
    name, consumers, pending, delivered_id, lag, is_capped, next_id, entries_read, oldest = raw
    return GroupFacts(
        _group_name(name),
        consumers,
        pending,
        delivered_id.decode(),
        lag if lag >= 0 else None,
        bool(is_capped),
        next_id.decode() or None,
        entries_read if entries_read >= 0 else None,
        oldest.decode() or None,
    )


@lru_cache(maxsize=4096)
def _group_name(raw: bytes) -> str:
    return clean(text(raw), 60)


def _ticks(flat: list[int]) -> tuple[tuple[int, int | None], ...]:
    pairs = iter(flat)
    return tuple([(arrived, sent if sent > 0 else None) for arrived, sent in zip(pairs, pairs, strict=True)])
