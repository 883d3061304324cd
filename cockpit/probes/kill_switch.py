"""The kill switch as it stands in Redis, and whose doing that is."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cockpit.clients.redis_facts import is_true, time_ms
from cockpit.clients.redis_reading import WallReading
from cockpit.config import RedisPart
from cockpit.model.states import KillSwitch, SwitchRecord
from cockpit.text import clean

BY_HAND = "by hand, not recorded"


@dataclass(frozen=True, slots=True)
class SwitchMemory:
    """The last reading, as the key said it and as it was told."""

    said: KillSwitch
    told: KillSwitch


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


def attribute(said: KillSwitch, before: SwitchMemory | None, at: float) -> SwitchMemory:
    """Tell whose change it is: one that leaves `ts` as it was is by hand, and what the key says is of another.

    Only fields that changed with it are its own; so it stays for as long as `ts` does.
    """
    if before is None or not said.is_present or said.since not in (None, before.said.since):
        return SwitchMemory(said, said)
    is_flipped = said.is_engaged != before.said.is_engaged
    if not is_flipped and before.told.outlived is None:
        return SwitchMemory(said, said)
    by, reason, since = (None, BY_HAND, at) if is_flipped else (before.told.by, before.told.reason, before.told.since)
    told = replace(
        said,
        by=by if said.by == before.said.by else said.by,
        reason=reason if said.reason == before.said.reason else said.reason,
        since=since,
        outlived=SwitchRecord(said.by, said.since),
    )
    return SwitchMemory(said, told)
