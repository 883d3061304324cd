"""What the configuration's values must be like: what is accepted and then reaches nothing is worse than an error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta

from cockpit.model.exchange import EXCHANGES

Seconds = Annotated[float, Meta(gt=0, le=3600)]
Fraction = Annotated[float, Meta(gt=0, le=1)]
"""80, meant as a percentage, would be a limit that nothing ever reaches."""

Class = Literal["P1", "P2", "P3", "P4"]
CLASSES: Mapping[str, Class] = {"critical": "P2", "warning": "P3", "warn": "P3", "info": "P4"}
"""Of the labels that are mostly used."""
_WINDOW = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]-(?:([01][0-9]|2[0-3]):[0-5][0-9]|24:00)")
_SITE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
ORDER_STREAMS = {
    "incoming": "orders.incoming",
    "validated": "orders.validated",
    "rejected": "orders.rejected",
    "fills": "orders.fills",
}


def _are_all_named(streams: dict[str, str]) -> dict[str, str]:
    """What stops, proves and judges trading looks for them by these labels: without one it looks at nothing."""
    missing = [label for label in ORDER_STREAMS if not streams.get(label)]
    if missing:
        raise ValueError(f"no stream is named for {', '.join(missing)}")
    return streams


OrderStreams = Annotated[dict[str, str], _are_all_named]
"""Label -> stream."""


def site_name(text: str) -> str:
    """A name that can stand in a file's name, a message's subject and the top line.

    >>> site_name("hf-1")
    'hf-1'

    Raises:
        ValueError: it cannot.
    """
    if not _SITE.fullmatch(text):
        raise ValueError("expected at most 32 of A-Z a-z 0-9 _ . - that begin with a letter or a digit")
    return text


def daily_window(text: str) -> str:
    """A span of every day.

    >>> daily_window("23:45-00:45")
    '23:45-00:45'

    Raises:
        ValueError: no clock shows these times; what is meant as one hour must not be the whole day.
    """
    begin, _, end = text.partition("-")
    if not _WINDOW.fullmatch(text) or begin == end:
        raise ValueError("it must be two times of the day, HH:MM-HH:MM")
    return text


def known_exchange(name: str) -> str:
    """The exchange's name.

    Raises:
        ValueError: its hours are not known here, so that naming it would do nothing.
    """
    if name not in EXCHANGES:
        raise ValueError(f"its hours are not known; known are {', '.join(EXCHANGES)}")
    return name


def small_letters(classes: dict[str, Class]) -> dict[str, Class]:
    """By labels in small letters, as they are looked up.

    Raises:
        ValueError: two of them differ in nothing else.
    """
    found = {label.lower(): known for label, known in classes.items()}
    if len(found) != len(classes):
        raise ValueError("two labels differ only in capital letters")
    return found


SiteName = Annotated[str, site_name]
Window = Annotated[str, daily_window]
ExchangeName = Annotated[str, known_exchange]
Classes = Annotated[dict[str, Class], small_letters]
