"""Times in words."""

from __future__ import annotations

from datetime import UTC, datetime


def span(seconds: float | None) -> str:
    """Seconds for a report.

    >>> span(None), span(8.4), span(95), span(4000)
    ('not known', '8 s', '1 min 35 s', '1 h 6 min')
    """
    if seconds is None:
        return "not known"
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
    return f"{seconds // 3600:.0f} h {seconds % 3600 // 60:.0f} min"


def clock(at: float | None) -> str:
    """The time of day in UTC.

    >>> clock(1700000000.25)
    '22:13:20'
    """
    return "" if at is None else f"{datetime.fromtimestamp(at, UTC):%H:%M:%S}"
