"""A Redis that answers slowly makes late what is read through it: one cause, and one section that answers it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cockpit.severity.standing import SHARED

if TYPE_CHECKING:
    from cockpit.severity.rule import View

SUBJECT = "redis"
NOTE = ", through a slow Redis"
TRIPS = 20.0
"""What is later than so many round trips is late by itself too: a tick and an order make several, not dozens."""


def explains(view: View, late_ms: float | None) -> bool:
    """Whether a slow Redis that is told already is enough of a reason to be so late (None: nobody says how much)."""
    told = view.before.get((SHARED, SUBJECT))
    if told is None or not told.is_shown or not isinstance(told.kept, float):
        return False
    return late_ms is None or late_ms <= TRIPS * told.kept
