"""Moments as the backends write them."""

from __future__ import annotations

from datetime import UTC, datetime


def unix_time(text: object) -> float | None:
    """Unix seconds of an ISO 8601 moment; None for what is none, and for year 1, Go's word for never.

    >>> unix_time("2026-01-02T03:04:05.123456789Z")
    1767323045.123456
    >>> unix_time("2026-01-02T04:04:05+01:00")
    1767323045.0
    >>> unix_time("0001-01-01T00:00:00Z"), unix_time("soon"), unix_time(None)
    (None, None, None)
    """
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.year <= 1:
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()


def age_s(text: object, now: float) -> float | None:
    """Seconds since then, never below 0: clocks differ by a little."""
    moment = unix_time(text)
    return None if moment is None else max(0.0, now - moment)
