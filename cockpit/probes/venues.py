"""The brokers as the router sees them, and who takes their orders now."""

from __future__ import annotations

from cockpit.clients.redis_facts import Fields, json_object, number, time_ms, whole
from cockpit.clients.redis_reading import WallReading
from cockpit.config import Settings
from cockpit.model.states import CONNECTED, Venue
from cockpit.text import clean

UNREADABLE = "unknown"


def read_venues(reading: WallReading, settings: Settings) -> tuple[Venue, ...]:
    """The configured venues first, in their order; those that nobody reports are left out.

    Raises:
        Refused: a key could not be read.
    """
    part = settings.redis
    assert part is not None
    statuses = reading.fields(part.venue_status_key)
    overrides = reading.fields(part.route_override_key)
    places = {venue.name: place for place, venue in enumerate(settings.venues)}
    names = sorted(statuses, key=lambda name: (places.get(name, len(places)), name))
    silent_s = settings.thresholds.venue_silent_s
    return tuple(_venue(reading, name, statuses[name], overrides, silent_s) for name in names)


def _venue(reading: WallReading, name: str, raw: str, overrides: Fields, silent_s: float) -> Venue:
    status = json_object(raw) or {}
    said = status.get("status")
    code, message = status.get("code"), status.get("message")
    expires_ms = time_ms(status.get("token_expires_ms"))
    override = overrides.get(name) or overrides.get(name.lower())
    state = clean(said.strip().lower(), 20) if isinstance(said, str) and said.strip() else UNREADABLE
    age_s, told = reading.age_s(time_ms(status.get("ts_ms"))), whole(status.get("open_orders"))
    is_counted = state in CONNECTED and age_s is not None and age_s <= silent_s
    return Venue(
        name=clean(name, 40),
        status=state,
        age_s=age_s,
        code=clean(code, 20) if isinstance(code, str | int) and str(code) else None,
        message=clean(message) if isinstance(message, str) and message else None,
        latency_ms=number(status.get("latency_ms")),
        open_orders=told if is_counted else None,
        open_orders_last_told=told,
        token_left_s=None if expires_ms is None else (expires_ms - reading.now_ms) / 1000,
        override=clean(override, 40) if override else None,
    )
