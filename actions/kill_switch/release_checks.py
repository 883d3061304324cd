"""What must hold before trading starts again: brokers up, risk within its limits, nothing left over in the streams."""

from __future__ import annotations

from collections.abc import Iterator

from actions.checks import FAIL, PASS, UNKNOWN, WARN, evidence_error
from cockpit.config import Settings
from cockpit.model.plan import Check
from cockpit.model.snapshot import Snapshot
from cockpit.model.states import Risk, Venue


def brokers(settings: Settings, snapshot: Snapshot, now: float) -> Iterator[Check]:
    """Every configured broker, or the backup that takes its orders, is up."""
    unknown = evidence_error("brokers up", snapshot.venues, now)
    if unknown is not None:
        yield unknown
        return
    venues = {venue.name: venue for venue in snapshot.venues.value or ()}
    age_s = snapshot.venues.age_s(now)
    names = [venue.name for venue in settings.venues] or list(venues)
    if not names:
        yield Check("brokers up", UNKNOWN, "no broker reports", age_s)
    for name in names:
        yield _broker(settings, name, venues, age_s)
    yield from _reach(snapshot, venues, now)


def _broker(settings: Settings, name: str, venues: dict[str, Venue], age_s: float | None) -> Check:
    title = f"{name} up"
    venue = venues.get(name)
    if venue is None:
        return Check(title, UNKNOWN, "it does not report", age_s)
    silent_s = settings.thresholds.venue_silent_s
    if venue.age_s is None or venue.age_s > silent_s:
        seen = "never" if venue.age_s is None else f"{venue.age_s:.0f} s ago"
        return Check(title, FAIL, f"it reported last {seen}", age_s)
    if venue.status == "up":
        return Check(title, PASS, "up", age_s)
    if venue.status == "degraded":
        return Check(title, WARN, f"degraded{_why(venue)}", age_s)
    backup = next((each for each in venues.values() if each.name.lower() == (venue.override or "").lower()), None)
    if backup is not None and backup.status == "up":
        return Check(title, WARN, f"{venue.status}, but {backup.name} takes its orders", age_s)
    return Check(title, FAIL, f"{venue.status}{_why(venue)}", age_s)


def _why(venue: Venue) -> str:
    words = " ".join(part for part in (venue.code, venue.message) if part)
    return f": {words}" if words else ""


def _reach(snapshot: Snapshot, venues: dict[str, Venue], now: float) -> Iterator[Check]:
    """The cockpit's own look contradicts the router's word, unless somebody else takes the orders anyway."""
    if not snapshot.reach.is_live(now):
        return
    age_s = snapshot.reach.age_s(now)
    for reach in snapshot.reach.value or ():
        venue = venues.get(reach.venue)
        if not reach.is_up and not (venue is not None and venue.override):
            yield Check(f"{reach.venue} reached", FAIL, reach.detail, age_s)


def limits(settings: Settings, snapshot: Snapshot, now: float) -> Iterator[Check]:
    """VaR, ES, drawdown and gross below their limits, by fresh numbers."""
    unknown = evidence_error("risk within limits", snapshot.risk, now)
    if unknown is not None:
        yield unknown
        return
    risk = snapshot.risk.value
    assert risk is not None
    age_s = snapshot.risk.age_s(now)
    if risk.age_s > settings.thresholds.risk_age_s:
        yield Check("risk within limits", FAIL, f"the risk manager computed last {risk.age_s:.0f} s ago", age_s)
        return
    for name, value, limit, form in _measures(risk):
        yield _limit(name, value, limit, form, age_s)


def _measures(risk: Risk) -> tuple[tuple[str, float | None, float | None, str], ...]:
    return (
        ("VaR 99", risk.var_99, risk.limits.var_99, ",.0f"),
        ("ES 97.5", risk.es_975, risk.limits.es_975, ",.0f"),
        ("drawdown", risk.drawdown_pct, risk.limits.drawdown_pct, ".1%"),
        ("gross", risk.gross_usd, risk.limits.gross_usd, ",.0f"),
    )


def _limit(name: str, value: float | None, limit: float | None, form: str, age_s: float | None) -> Check:
    title = f"{name} within limit"
    if limit is None:
        return Check(title, WARN, "no limit is set", age_s)
    if value is None:
        return Check(title, UNKNOWN, "unknown", age_s)
    words = f"{value:{form}} of {limit:{form}}"
    return Check(title, PASS if value < limit else FAIL, words, age_s)


def drained(settings: Settings, snapshot: Snapshot, now: float) -> Iterator[Check]:
    """Nothing validated before the halt is still on its way, and no pile of old orders waits to be let through."""
    unknown = evidence_error("streams drained", snapshot.flow, now)
    if unknown is not None:
        yield unknown
        return
    flow = snapshot.flow.value
    assert flow is not None
    age_s = snapshot.flow.age_s(now)
    if flow.in_flight is None:
        yield Check("streams drained", UNKNOWN, "how many orders are in flight is unknown", age_s)
    elif flow.in_flight:
        # Orders may rest at a broker for hours: a human may know that they are meant to.
        words = f"{flow.in_flight:,} order{'s' * (flow.in_flight > 1)} in flight"
        yield Check("streams drained", FAIL, words, age_s, is_overridable=True)
    else:
        yield Check("streams drained", PASS, "none in flight", age_s)
    yield _backlog(settings, snapshot, age_s)


def _backlog(settings: Settings, snapshot: Snapshot, age_s: float | None) -> Check:
    flow = snapshot.flow.value
    incoming = None if flow is None else flow.stream("incoming")
    lags = [group.lag for group in incoming.groups] if incoming is not None else []
    if not lags or None in lags:
        return Check("no backlog", WARN, "how many orders wait at the risk manager is unknown", age_s)
    worst = max(lag for lag in lags if lag is not None)
    if worst > settings.thresholds.group_lag:
        return Check("no backlog", FAIL, f"{worst} old orders wait at the risk manager and would all be judged", age_s)
    return Check("no backlog", PASS, f"{worst} wait at the risk manager", age_s)


def feeds(settings: Settings, snapshot: Snapshot, now: float) -> Check:
    """Prices that are late do not forbid it, but whoever releases must know."""
    name = "prices fresh"
    sample = snapshot.feeds
    if sample.value is None or not sample.is_live(now):
        return Check(name, WARN, f"unknown: {sample.error or 'nothing fresh read'}", sample.age_s(now))
    age_s = sample.age_s(now)
    active = sample.value.active
    for feed in sample.value.feeds:
        is_late = feed.newest_age_s is None or feed.newest_age_s > settings.thresholds.feed_stalled_s
        if is_late and (active is None or feed.name == active):
            seen = "no tick yet" if feed.newest_age_s is None else f"last tick {feed.newest_age_s:.0f} s ago"
            return Check(name, WARN, f"{feed.name}: {seen}", age_s)
    return Check(name, PASS, f"from {active}" if active else "on every feed", age_s)
