"""The order streams, incoming to fills, and the further streams that are watched."""

from __future__ import annotations

from typing import NamedTuple

from cockpit.clients.redis_facts import id_ms
from cockpit.clients.redis_reading import StreamFacts, WallReading, is_still
from cockpit.config import RedisPart
from cockpit.model.states import OrderFlow, Stream
from cockpit.probes.streams import NEVER, Lost, read_stream, refuse_if_all_fail

VALIDATED = "validated"


class Still(NamedTuple):
    """A stream that stood still when it was last read, and what it was made of."""

    facts: StreamFacts | None
    """None where it did not."""
    stream: Stream
    is_calm: bool
    """Everything is read."""


Kept = dict[str, Still]
"""By their keys: of thousands of streams only the age has to be told anew."""


def read_flow(reading: WallReading, lost: Lost, part: RedisPart, kept: Kept | None = None) -> OrderFlow:
    """Depth, rate and groups of every stream.

    Raises:
        Refused: none of the streams could be read.
    """
    refuse_if_all_fail(reading, tuple(part.order_streams.values()))
    kept = {} if kept is None else kept
    streams = [read_stream(reading, key, label, lost) for label, key in part.order_streams.items()]
    restless = list(streams)
    for key in part.watched_streams:
        known = kept.get(key)
        if known is None or known.facts is None or known.facts is not reading.streams.get(key):
            known = _still(reading, key, read_stream(reading, key, key, lost))
            kept[key] = known
        streams.append(_older(reading, known) if known.facts is not None else known.stream)
        if not known.is_calm:
            restless.append(streams[-1])
    in_flight, oldest_s = _in_flight(reading, part)
    return OrderFlow(tuple(streams), in_flight, oldest_s, tuple(restless))


def _still(reading: WallReading, key: str, stream: Stream) -> Still:
    """With its facts where it can be kept: nothing came, nothing waits for its worker, nothing was lost."""
    facts = reading.streams.get(key)
    is_kept = is_still(facts) and reading.before_ms is not None
    is_calm = stream.fault is None
    for group in stream.groups:
        is_kept &= not group.pending and group.oldest_pending_s is None and not group.has_lost_entries
        is_calm &= group.lag == 0 and not group.pending and not group.has_lost_entries
    return Still(facts if is_kept and isinstance(facts, StreamFacts) else None, stream, is_calm)


def _older(reading: WallReading, known: Still) -> Stream:
    was, last_id = known.stream, known.facts.last_id if known.facts is not None else NEVER
    age_s = None if last_id == NEVER else reading.age_s(id_ms(last_id))
    return Stream(was.name, was.label, was.depth, was.rate_per_s, age_s, was.groups)


def _in_flight(reading: WallReading, part: RedisPart) -> tuple[int | None, float | None]:
    """What was validated and the router has not finished: delivered and unacknowledged, or not yet delivered."""
    facts = reading.streams.get(part.order_streams.get(VALIDATED, ""))
    if not isinstance(facts, StreamFacts):
        return None, None
    router = next((group for group in facts.groups if group.name == part.router_group), None)
    if router is None:
        return None, None
    ids = [one for one in (router.oldest_pending_id, router.next_id) if one is not None]
    oldest_s = reading.age_s(min(map(id_ms, ids))) if ids else None
    return None if router.lag is None else router.lag + router.pending, oldest_s
