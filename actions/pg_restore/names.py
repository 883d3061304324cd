"""What the databases are called that a restore makes and puts aside; their names say when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from cockpit.model.backends import Databases
from cockpit.model.choice import Choice

FORMAT = "%Y%m%d_%H%M%S"
LONGEST = 63
"""Postgres cuts longer names off."""
SIDE, ASIDE = "restore", "before"
STAMP = "<stamp>"


def stamp(now: float) -> str:
    """For a name.

    >>> stamp(1_764_038_698.0)
    '20251125_024458'
    """
    return datetime.fromtimestamp(now, UTC).strftime(FORMAT)


def side(database: str, when: str = STAMP) -> str:
    """Where the dump is restored into."""
    return f"{database}_{SIDE}_{when}"


def aside(database: str, when: str = STAMP) -> str:
    """What the old one is called once it was put aside."""
    return f"{database}_{ASIDE}_{when}"


def made_at(database: str, name: str) -> float | None:
    """When a restore made or put aside this database; None where it is no such name.

    >>> made_at("hedgefund", "hedgefund_before_20251125_024458")
    1764038698.0
    >>> made_at("hedgefund", "hedgefund"), made_at("hedgefund", "hedgefund_before_x")
    (None, None)
    """
    for kind in (SIDE, ASIDE):
        head = f"{database}_{kind}_"
        if name.startswith(head):
            try:
                return datetime.strptime(name.removeprefix(head), FORMAT).replace(tzinfo=UTC).timestamp()
            except ValueError:
                return None
    return None


def is_aside(database: str, name: str) -> bool:
    """Whether it is one that was put aside."""
    return name.startswith(f"{database}_{ASIDE}_") and made_at(database, name) is not None


def choices(database: str, found: Databases | None, now: float, is_any: bool = False) -> Iterator[Choice]:
    """What was put aside, the newest first; with `is_any` what a restore left half-made too, and the oldest first."""
    dated = [(made_at(database, one.name) or 0.0, one) for one in (found.found if found is not None else ())]
    for at, one in sorted(dated, key=lambda pair: pair[0], reverse=not is_any):
        if at and (is_any or is_aside(database, one.name)):
            what = "put aside" if is_aside(database, one.name) else "left half-made"
            size = "" if one.size_bytes is None else f", {one.size_bytes / 1e6:,.0f} MB"
            yield Choice("database", one.name, f"{what} {max(0.0, now - at) / 60:,.0f} min ago{size}")


def fits(database: str) -> bool:
    """Whether the longest of the names is not cut off."""
    return len(side(database, stamp(0.0)).encode()) <= LONGEST
