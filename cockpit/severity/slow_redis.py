"""A Redis that answers slowly makes late what is read through it: one cause, and one section that answers it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cockpit.severity.standing import SHARED

if TYPE_CHECKING:
    from cockpit.severity.rule import View
    from cockpit.severity.standing import Standing

SUBJECT = "redis"
NOTE = ", through a slow Redis"
READINGS = 2
"""One slow answer is not yet a slow Redis."""
TRIPS = 20.0
"""What is later than so many round trips is late by itself too: a tick and an order make several, not dozens."""


def explains(view: View, late_ms: float | None) -> bool:
    """Whether a slow Redis, told before or now, is reason enough to be so late (None: nobody says how much)."""
    told = view.before.get((SHARED, SUBJECT))
    if told is None or not isinstance(told.kept, float) or not (told.is_shown or _is_shown_now(view, told)):
        return False
    return late_ms is None or late_ms <= TRIPS * told.kept


def _is_shown_now(view: View, told: Standing) -> bool:
    """Whether this very look is the one that shows it: what is late through it is mostly first shown by the same."""
    sample = view.snapshot.redis
    if sample.value is None or not sample.is_live(view.now) or sample.value_at == told.reading_at:
        return False
    return told.seen + 1 >= READINGS and sample.value.round_trip_ms > view.limits.round_trip_ms
