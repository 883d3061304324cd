"""Whether a broker's outage is its nightly reset: it says so, or it is the time of day for it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cockpit.config import VenuePart

if TYPE_CHECKING:
    from cockpit.model.states import Venue

SAID = re.compile(r"\bnightly reset\b", re.IGNORECASE)
"""Only these words: "connection reset by peer" is an outage."""


def is_reset(part: VenuePart | None, venue: Venue | None, now: float) -> bool:
    """Whether this outage is expected."""
    if venue is not None and SAID.search(f"{venue.code or ''} {venue.message or ''}"):
        return True
    return part is not None and part.reset_utc is not None and is_within(part.reset_utc, now)


def is_within(window: str, now: float) -> bool:
    """Whether Unix time `now` lies in the daily window `HH:MM-HH:MM` UTC, also across midnight.

    >>> is_within("23:45-00:45", 0.0), is_within("23:45-00:45", 3600.0), is_within("04:00-05:00", 4.5 * 3600)
    (True, False, True)
    """
    begin, end = (_minutes(text) for text in window.split("-"))
    minute = now % 86400 / 60
    return begin <= minute < end if begin <= end else minute >= begin or minute < end


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)
