"""How findings say numbers: short, with units."""

from __future__ import annotations

from datetime import UTC, datetime


def ms(value: float) -> str:
    """Milliseconds.

    >>> ms(341.4), ms(0.42)
    ('341 ms', '0.4 ms')
    """
    return f"{value:,.0f} ms" if value >= 10 else f"{value:.1f} ms"


def seconds(value: float) -> str:
    """A span of time in its largest useful unit.

    >>> seconds(0.4), seconds(40), seconds(300), seconds(9000), seconds(200000)
    ('0.4 s', '40 s', '5 m', '2 h 30 m', '2 d')
    """
    if value < 10:
        return f"{value:.1f} s"
    if value < 120:
        return f"{value:.0f} s"
    minutes = int(value // 60)
    if minutes < 120:
        return f"{minutes} m"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} m"
    return f"{minutes // 1440} d"


def clock(at: float) -> str:
    """Unix seconds as a time of day, in UTC.

    >>> clock(1_800_000_000.0)
    '08:00:00Z'
    """
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S}Z"


def percent(fraction: float) -> str:
    """A fraction as a percentage.

    >>> percent(0.0534), percent(0.853)
    ('5.3 %', '85 %')
    """
    return f"{fraction * 100:.1f} %" if abs(fraction) < 0.1 else f"{fraction * 100:.0f} %"


def money(value: float) -> str:
    """An amount of the book's currency.

    >>> money(2140000), money(132461)
    ('2.14 M', '132,461')
    """
    return f"{value / 1e6:,.2f} M" if abs(value) >= 1e6 else f"{value:,.0f}"


def megabytes(value: float) -> str:
    """Bytes as megabytes, decimal as on the wall.

    >>> megabytes(256 * 2**20)
    '268 MB'
    """
    return f"{value / 1e6:,.0f} MB"
