"""The order streams, incoming to fills, and the further streams that are watched."""

from __future__ import annotations

from cockpit.clients.redis_facts import id_ms
from cockpit.clients.redis_reading import StreamFacts, WallReading
from cockpit.config import RedisPart
from cockpit.model.states import OrderFlow
from cockpit.probes.streams import Lost, read_stream, refuse_if_all_fail

VALIDATED = "validated"


def read_flow(reading: WallReading, lost: Lost, part: RedisPart) -> OrderFlow:
    """Depth, rate and groups of every stream.

    Raises:
        Refused: none of the streams could be read.
    """
    refuse_if_all_fail(reading, tuple(part.order_streams.values()))
    streams = [read_stream(reading, key, label, lost) for label, key in part.order_streams.items()]
    streams += [read_stream(reading, key, key, lost) for key in part.watched_streams]
    in_flight, oldest_s = _in_flight(reading, part)
    return OrderFlow(tuple(streams), in_flight, oldest_s)


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
