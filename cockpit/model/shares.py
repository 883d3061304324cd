"""Quantities of a position: numbers that were added up, and may be parts of one."""

from __future__ import annotations

DECIMALS = 9
"""Finer than any venue trades: what differs less was added up in another order."""


def shares(value: float) -> float:
    """A quantity that can be compared with one that somebody else added up.

    >>> shares(0.1 + 0.2) == shares(0.3), shares(0.1 + 0.2 - 0.3)
    (True, 0.0)
    """
    return round(value, DECIMALS) + 0.0


def shares_words(value: float) -> str:
    """With as many decimals as it has.

    >>> shares_words(1200.0), shares_words(-0.3), shares_words(1234.5)
    ('1,200', '-0.3', '1,234.5')
    """
    return f"{shares(value):,.{DECIMALS}f}".rstrip("0").rstrip(".")
