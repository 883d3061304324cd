"""The kill switch as it stands in Redis."""

from __future__ import annotations

from cockpit.clients.redis_facts import is_true, time_ms
from cockpit.clients.redis_reading import WallReading
from cockpit.config import RedisPart
from cockpit.model.states import KillSwitch
from cockpit.text import clean


def read_kill_switch(reading: WallReading, part: RedisPart) -> KillSwitch:
    """A missing key means that trading is enabled; what is not a yes does not halt the platform either.

    Raises:
        Refused: the key could not be read.
    """
    found = reading.find(part.kill_switch_key)
    if found is None:
        return KillSwitch(is_engaged=False, is_present=False)
    since_ms = time_ms(found.get("ts"))
    return KillSwitch(
        is_engaged=is_true(found.get("enabled")),
        is_present=True,
        reason=clean(found["reason"]) if found.get("reason") else None,
        by=clean(found["by"], 60) if found.get("by") else None,
        since=None if since_ms is None else since_ms / 1000,
    )
