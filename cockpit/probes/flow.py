"""The order streams, incoming to fills, and the further streams that are watched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cockpit.clients.redis_facts import id_ms
from cockpit.clients.redis_reading import StreamAnswer, StreamFacts, WallReading
from cockpit.clients.redis_reading import is_still as is_still_there
from cockpit.config import RedisPart
from cockpit.model.states import OrderFlow, Stream
from cockpit.probes.streams import Lost, read_stream, refuse_if_all_fail

VALIDATED = "validated"


class Kept:
    """The watched streams as last told: of thousands only those that moved are told anew."""

    def __init__(self) -> None:
        self.streams: list[Stream] = []
        self._places: dict[str, int] = {}
        self._restless: set[int] = set()
        self._moving: set[str] = set()
        """Those that have to be told anew with every reading."""
        self._of: Mapping[str, StreamAnswer] | None = None

    def look(self, reading: WallReading, lost: Lost, watched: tuple[str, ...]) -> None:
        """Bring them up to date."""
        anew = reading.anew
        keys: Iterable[str] = watched
        if anew is not None and anew.since is self._of and len(watched) == len(self.streams):
            keys = (anew.keys | self._moving) & self._places.keys()
        else:
            self._places = {key: at for at, key in enumerate(watched)}
            self.streams = [Stream("", "", None, None, None)] * len(watched)
            self._restless, self._moving = set(), set()
        for key in keys:
            self._tell(reading, key, read_stream(reading, key, key, lost))
        self._of = reading.streams

    def _tell(self, reading: WallReading, key: str, stream: Stream) -> None:
        """It stays as it is where nothing came, nothing waits for its worker, nothing was lost."""
        facts, place = reading.streams.get(key), self._places[key]
        is_still = is_still_there(facts) and reading.before_ms is not None
        is_calm = stream.fault is None
        for group in stream.groups:
            is_still &= not group.pending and group.oldest_pending_s is None and not group.has_lost_entries
            is_calm &= group.lag == 0 and not group.pending and not group.has_lost_entries
        self.streams[place] = stream
        (self._moving.discard if is_still else self._moving.add)(key)
        (self._restless.discard if is_calm else self._restless.add)(place)

    @property
    def restless(self) -> list[Stream]:
        """Those in which not everything is read."""
        return [self.streams[place] for place in sorted(self._restless)]


def read_flow(reading: WallReading, lost: Lost, part: RedisPart, kept: Kept | None = None) -> OrderFlow:
    """Depth, rate and groups of every stream.

    Raises:
        Refused: none of the streams could be read.
    """
    refuse_if_all_fail(reading, tuple(part.order_streams.values()))
    kept = Kept() if kept is None else kept
    kept.look(reading, lost, part.watched_streams)
    streams = [read_stream(reading, key, label, lost) for label, key in part.order_streams.items()]
    in_flight, oldest_s = _in_flight(reading, part)
    every, restless = (*streams, *kept.streams), (*streams, *kept.restless)
    return OrderFlow(every, in_flight, oldest_s, restless, reading.now_ms)


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
