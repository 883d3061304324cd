"""The brokers: as the router sees them, and as the cockpit reaches them by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cockpit.config import VenuePart
from cockpit.model.severity import Severity
from cockpit.severity import sections, slow_redis, words
from cockpit.severity.reset import is_reset
from cockpit.severity.rule import Hit, View, rule

if TYPE_CHECKING:
    from cockpit.model.states import Reach, Venue

DOWN = frozenset({"down", "disconnected", "offline", "error"})
UP = frozenset({"up", "standby"})


@rule("venues", panel="brokers", section=sections.BROKER)
def venue_down(view: View, venues: tuple[Venue, ...]) -> Iterator[Hit]:
    """The router has lost a broker."""
    for venue in venues:
        if venue.status in DOWN and not is_reset(part_of(view, venue.name), view.now):
            rerouted = f", orders go to {venue.override}" if venue.override else ""
            why = f": {_why(venue)}{_not_now(view, venue)}" if _why(venue) else ""
            yield Hit(venue.name, Severity.P1, f"{venue.name} down{rerouted}{why}", venue.status, "up")


@rule("venues", panel="brokers", section=sections.BROKER)
def venue_degraded(view: View, venues: tuple[Venue, ...]) -> Iterator[Hit]:
    """A broker works in part, or says something that nobody knows."""
    for venue in venues:
        if venue.status in UP or venue.status in DOWN or is_reset(part_of(view, venue.name), view.now):
            continue
        why = f": {_why(venue)}" if _why(venue) else ""
        # What a broker itself complains of has its code; without one the router may only have waited for Redis.
        is_shared = venue.status == "degraded" and not venue.code and slow_redis.explains(view, venue.latency_ms)
        summary = f"{venue.name} {venue.status}{why}{slow_redis.NOTE if is_shared else ''}"
        section = sections.REDIS if is_shared else None
        yield Hit(venue.name, Severity.P2, summary, venue.status, "up", section=section)


@rule("venues", panel="brokers", section=sections.BROKER)
def reroute_left(view: View, venues: tuple[Venue, ...]) -> Iterator[Hit]:
    """A broker is up again, and its orders still go elsewhere."""
    for venue in venues:
        if venue.override and venue.status in UP and venue.override.casefold() != venue.name.casefold():
            summary = f"{venue.name} is up, its orders still go to {venue.override}"
            yield Hit(venue.name, Severity.P3, summary, venue.override, venue.name, after_s=view.limits.reroute_left_s)


@rule("venues", panel="brokers")
def venue_reset(view: View, venues: tuple[Venue, ...]) -> Iterator[Hit]:
    """A broker's nightly reset is no outage."""
    for venue in venues:
        if venue.status not in UP and is_reset(part_of(view, venue.name), view.now):
            summary = f"{venue.name} nightly reset (expected)"
            yield Hit(venue.name, Severity.P4, summary, venue.status, "up", is_expected=True)


@rule("venues", panel="brokers", section=sections.BROKER)
def venue_missing(view: View, venues: tuple[Venue, ...]) -> Iterator[Hit]:
    """The router says nothing at all of a configured broker."""
    known = {venue.name for venue in venues}
    for part in view.settings.venues:
        if part.name not in known:
            yield Hit(part.name, Severity.P2, f"{part.name}: the router reports no status", "no status", "up")


@rule("venues", panel="brokers", section=sections.BROKER)
def venue_silent(view: View, venues: tuple[Venue, ...]) -> Iterator[Hit]:
    """A broker's status is old: whatever it says, it is not the present."""
    limit_s = view.limits.venue_silent_s
    for venue in venues:
        if venue.age_s is None or venue.age_s > limit_s:
            age = "of unknown age" if venue.age_s is None else f"{words.seconds(venue.age_s)} old"
            yield Hit(
                venue.name,
                Severity.P2,
                f"{venue.name} status is {age}",
                age,
                words.seconds(limit_s),
                since=view.ago(venue.age_s),
            )


@rule("venues", panel="brokers", section=sections.BROKER)
def venue_slow(view: View, venues: tuple[Venue, ...]) -> Iterator[Hit]:
    """A broker answers late."""
    limit_ms = view.limits.venue_latency_ms
    for venue in venues:
        if venue.latency_ms is not None and venue.latency_ms > limit_ms and venue.status not in DOWN:
            took, limit = words.ms(venue.latency_ms), words.ms(limit_ms)
            is_shared = not venue.code and slow_redis.explains(view, venue.latency_ms)
            summary = f"{venue.name} slow: {took} > {limit}{slow_redis.NOTE if is_shared else ''}"
            section = sections.REDIS if is_shared else None
            yield Hit(venue.name, Severity.P2, summary, took, limit, section=section)


@rule("venues", panel="brokers", section=sections.BROKER)
def venue_token(view: View, venues: tuple[Venue, ...]) -> Iterator[Hit]:
    """A broker's session token is dead or about to die."""
    limit_s = view.limits.token_left_s
    for venue in venues:
        left_s = venue.token_left_s
        if left_s is None or left_s >= limit_s:
            continue
        said = "has expired" if left_s <= 0 else f"expires in {words.seconds(left_s)}"
        summary = f"{venue.name} token {said}"
        yield Hit(venue.name, Severity.P2, summary, f"{words.seconds(max(left_s, 0.0))} left", words.seconds(limit_s))


@rule("reach", panel="brokers", section=sections.BROKER)
def venue_unreachable(view: View, reaches: tuple[Reach, ...]) -> Iterator[Hit]:
    """The cockpit itself cannot reach a broker, whatever the router says."""
    for reach in reaches:
        if reach.is_up:
            continue
        if is_reset(part_of(view, reach.venue), view.now):
            summary = f"{reach.venue} nightly reset (expected): {reach.detail}"
            yield Hit(reach.venue, Severity.P4, summary, "no handshake", "handshake", is_expected=True)
        else:
            summary = f"{reach.venue} unreachable from here: {reach.detail}"
            yield Hit(reach.venue, Severity.P1, summary, "no handshake", "handshake")


@rule("reach", panel="brokers", section=sections.BROKER)
def venue_refusing(view: View, reaches: tuple[Reach, ...]) -> Iterator[Hit]:
    """A broker answers the cockpit, and would not serve it."""
    for reach in reaches:
        if reach.is_up and reach.is_degraded:
            yield Hit(reach.venue, Severity.P2, f"{reach.venue} from here: {reach.detail}", "refused", "served")


@rule("reach", panel="brokers")
def venue_unasked(view: View, reaches: tuple[Reach, ...]) -> Iterator[Hit]:
    """A broker answers; whether it would serve the cockpit nobody knows, for want of what it is asked with."""
    for reach in reaches:
        if reach.is_up and reach.lacks:
            yield Hit(reach.venue, Severity.UNKNOWN, f"{reach.venue}: {reach.lacks}", "unknown", "served")


def part_of(view: View, name: str) -> VenuePart | None:
    """The broker's section of the configuration."""
    return next((part for part in view.settings.venues if part.name == name), None)


def _why(venue: Venue) -> str:
    return " ".join(part for part in (venue.code, venue.message) if part)


def _not_now(view: View, venue: Venue) -> str:
    """A broker that speaks of its nightly reset while it is not the hour for it."""
    part = part_of(view, venue.name)
    is_told = part is not None and part.reset_utc is not None and "reset" in (venue.message or "").lower()
    return " (it is NOT the hour)" if is_told else ""


RULES = (
    venue_down,
    venue_degraded,
    reroute_left,
    venue_reset,
    venue_missing,
    venue_silent,
    venue_slow,
    venue_token,
    venue_unreachable,
    venue_refusing,
    venue_unasked,
)
