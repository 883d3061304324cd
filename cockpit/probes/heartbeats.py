"""The last sign of life of each component."""

from __future__ import annotations

from cockpit.clients.redis_facts import time_ms
from cockpit.clients.redis_reading import WallReading
from cockpit.config import RedisPart
from cockpit.model.states import Heartbeat
from cockpit.text import clean


def read_heartbeats(reading: WallReading, part: RedisPart) -> tuple[Heartbeat, ...]:
    """By component name.

    Raises:
        Refused: the key could not be read.
    """
    found = reading.fields(part.heartbeats_key)
    return tuple(Heartbeat(clean(name, 60), reading.age_s(time_ms(found[name]))) for name in sorted(found))
