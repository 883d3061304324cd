"""One stream as the wall shows it: depth, flow, groups, and whether a group lost entries before it read them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from cockpit.clients.redis_facts import id_ms, id_order
from cockpit.clients.redis_reading import GroupFacts, KeyFault, StreamFacts, WallReading
from cockpit.errors import Refused
from cockpit.model.states import Group, Stream
from cockpit.text import clean

Lost = frozenset[tuple[str, str]]
"""Stream and group of every loss that was seen and still stands."""
NONE_LOST: Lost = frozenset()

NEVER = "0-0"
FEWEST = 100
FAR = 50.0
"""Without a history: a group whose position lies this many mean distances before the first entry has lost some."""


def read_stream(reading: WallReading, key: str, label: str, lost: Lost) -> Stream:
    """A stream that does not exist has no depth; one that could not be read says why besides."""
    label = _shown(label)
    facts = reading.streams.get(key)
    name = _shown(key)
    if not isinstance(facts, StreamFacts):
        return Stream(name, label, None, None, None, fault=None if facts is None else clean(facts.reason))
    groups = tuple([_group(reading, group, (key, group.name) in lost) for group in facts.groups])
    newest_ms = None if facts.last_id == NEVER else id_ms(facts.last_id)
    return Stream(name, label, facts.depth, rate_per_s(reading, facts), newest_ms, groups)


def refuse_if_all_fail(reading: WallReading, keys: tuple[str, ...]) -> None:
    """One stream that cannot be read is unknown; when none can be, that is a failure with a reason."""
    failures = []
    for key in keys:
        try:
            reading.stream(key)
        except Refused as error:
            failures.append(error)
    if failures and len(failures) == len(keys):
        raise failures[0]


@lru_cache(maxsize=16384)
def _shown(key: str) -> str:
    """Keys come from the configuration, thousands of them a tick, always the same."""
    return clean(key, 60)


def rate_per_s(reading: WallReading, facts: StreamFacts) -> float | None:
    """New entries a second since the reading before; None where that is not known."""
    since_ms = reading.before_ms if facts.since_ms is None else facts.since_ms
    if facts.new is None or since_ms is None or reading.now_ms <= since_ms:
        return None
    return facts.new * 1000 / (reading.now_ms - since_ms)


def _group(reading: WallReading, group: GroupFacts, has_lost: bool) -> Group:
    if group.oldest_pending_id is None:
        return _group_without_age(group, has_lost)
    return _new_group(group, has_lost, reading.age_s(id_ms(group.oldest_pending_id)))


@lru_cache(maxsize=4096)
def _group_without_age(group: GroupFacts, has_lost: bool) -> Group:
    """Most groups of a thousand streams stand still: one that did is not made again."""
    return _new_group(group, has_lost, None)


def _new_group(group: GroupFacts, has_lost: bool, oldest_pending_s: float | None) -> Group:
    return Group(
        name=group.name,
        lag=group.lag,
        is_lag_capped=group.is_lag_capped,
        pending=group.pending,
        oldest_pending_s=oldest_pending_s,
        consumers=group.consumers,
        has_lost_entries=has_lost,
    )


def find_lost(reading: WallReading, before: WallReading | None, known: Lost) -> Lost:
    """The losses that stand now: a loss once seen stands until its group has passed the gap."""
    streams = before.streams if before is not None else {}
    # Of a stream that is just as it was, no more is lost than was.
    same = {key for key, _ in known if reading.streams.get(key) is streams.get(key)}
    anew = reading.anew
    keys = anew.keys if anew is not None and anew.since is streams else reading.streams
    return frozenset(one for one in known if one[0] in same) | frozenset(
        (key, group.name)
        for key in keys
        if isinstance(facts := reading.streams[key], StreamFacts) and facts is not streams.get(key)
        for group in facts.groups
        if group.delivered_id != facts.last_id
        and _is_before(group.delivered_id, facts.first_id)
        and ((key, group.name) in known or _has_lost(facts, group, _first_id(streams, key)))
    )


def _is_before(entry_id: str, other_id: str | None) -> bool:
    return other_id is not None and id_order(entry_id) < id_order(other_id)


def _first_id(streams: Mapping[str, StreamFacts | KeyFault | None], key: str) -> str | None:
    facts = streams.get(key)
    return facts.first_id if isinstance(facts, StreamFacts) else None


def _has_lost(facts: StreamFacts, group: GroupFacts, first_before: str | None) -> bool:
    """Whether entries between the group's position and the stream's first entry were removed unread."""
    if facts.added is not None:
        # Redis 7 counts: all but the last `depth` entries are gone.
        read = 0 if group.delivered_id == NEVER else group.entries_read
        if read is not None:
            return read < facts.added - facts.depth
    if first_before is not None:
        # The entry that was the first one was still unread, and is gone.
        return _is_before(group.delivered_id, first_before) and _is_before(first_before, facts.first_id)
    return _lies_far_before(facts, group)


def _lies_far_before(facts: StreamFacts, group: GroupFacts) -> bool:
    if facts.first_id is None or facts.depth < FEWEST or group.delivered_id == NEVER:
        return False
    first_ms = id_ms(facts.first_id)
    mean_ms = (id_ms(facts.last_id) - first_ms) / (facts.depth - 1)
    return first_ms - id_ms(group.delivered_id) > FAR * mean_ms + 1000
