"""Whether a broker's outage is its nightly reset: by the configured time of day, never by what the broker says."""

from __future__ import annotations

from cockpit.config import VenuePart


def is_reset(part: VenuePart | None, now: float) -> bool:
    """Whether an outage of this broker is expected at Unix time `now`."""
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
