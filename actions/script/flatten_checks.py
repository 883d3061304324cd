"""Whether everything can be closed now, and what that takes: judged on the snapshot, and on the ledger's last fills."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from actions.checks import FAIL, PASS, UNKNOWN, WARN, evidence_error, world_check
from actions.script.book import REPLAY, halted, held, ledger_check, listed, writable
from actions.script.command import program_check
from cockpit.clients.ledger import last_venues
from cockpit.config import Settings
from cockpit.errors import BackendError
from cockpit.model.exchange import local
from cockpit.model.plan import Check
from cockpit.model.snapshot import Snapshot
from cockpit.model.states import Position, Venue

UNPLACED = "VENUE UNKNOWN"
NEEDED = {
    "risk": "it lets each order pass: orders would wait for it, and be sent when nobody expects it",
    "router": "it sends each order: they would wait for it",
    "ledger": "it counts what is filled: what is sold would be sold once more",
}
"""Component -> what its silence means here."""


def checks(settings: Settings, snapshot: Snapshot, now: float) -> Iterator[Check]:
    """One check a question."""
    yield from world_check(settings.world)
    yield program_check(settings, settings.scripts.flatten)
    yield halted(snapshot, now, "the strategies trade against it")
    yield writable(snapshot, now)
    equal = ledger_check(settings, snapshot, now, is_overridable=True)
    yield _positions(settings, snapshot, now, is_lost=equal.verdict is FAIL and not equal.is_overridable)
    if not evidence_error("positions", snapshot.risk, now):
        yield equal
    yield from _components(settings, snapshot, now)
    yield from _brokers(snapshot, now)
    yield from _markets(settings, snapshot, now)


def _positions(settings: Settings, snapshot: Snapshot, now: float, is_lost: bool) -> Check:
    unknown = evidence_error("positions", snapshot.risk, now)
    if unknown is not None:
        return unknown
    assert snapshot.risk.value is not None
    count, age_s = len(held(snapshot)), snapshot.risk.age_s(now)
    if not count:
        return Check(
            "positions", FAIL, f"Redis has none, the ledger has: {REPLAY}" if is_lost else "already flat", age_s
        )
    unreadable = [symbol for symbol, qty in held(snapshot).items() if qty is None]
    if unreadable:
        return Check("positions", WARN, f"{count} held, unreadable: {', '.join(unreadable)}", age_s)
    computed_s = snapshot.risk.value.age_s
    if computed_s > settings.thresholds.risk_age_s:
        words = f"{count} held, but risk was computed last {computed_s:.0f} s ago"
        return Check("positions", FAIL, words, age_s, is_overridable=True)
    return Check("positions", PASS, f"{count} held, risk computed {computed_s:.1f} s ago", age_s)


def _components(settings: Settings, snapshot: Snapshot, now: float) -> Iterator[Check]:
    """Orders go through the platform's own workers: where one is dead, they wait or are doubled."""
    unknown = evidence_error("workers", snapshot.heartbeats, now)
    if unknown is not None:
        yield unknown
        return
    age_s = snapshot.heartbeats.age_s(now)
    ages = {one.component: one.age_s for one in snapshot.heartbeats.value or ()}
    for name, why in NEEDED.items():
        silent_s = ages.get(name)
        if silent_s is None:
            yield Check(f"{name} alive", UNKNOWN, "it does not report", age_s, is_overridable=True)
        elif silent_s > settings.thresholds.heartbeat_s:
            # What the ledger does not count is closed twice: no reason is good enough.
            words = f"silent for {silent_s:.0f} s; {why}"
            yield Check(f"{name} alive", FAIL, words, age_s, is_overridable=name != "ledger")
        else:
            yield Check(f"{name} alive", PASS, f"heard of {silent_s:.1f} s ago", age_s)


def _brokers(snapshot: Snapshot, now: float) -> Iterator[Check]:
    unknown = evidence_error("brokers", snapshot.venues, now)
    if unknown is not None:
        yield Check(unknown.name, UNKNOWN, unknown.detail, unknown.evidence_age_s, is_overridable=True)
        return
    for venue in snapshot.venues.value or ():
        yield _broker(venue, snapshot.venues.age_s(now))


def _broker(venue: Venue, age_s: float | None) -> Check:
    """Open orders are the broker's own: they may fill against what is closed here."""
    is_unknown = venue.open_orders is None
    orders = f"how many orders are open is {venue.orders_words}" if is_unknown else f"{venue.open_orders} orders open"
    to = f", its orders go to {venue.override}" if venue.override else ""
    if venue.status != "up" and not venue.override:
        return Check(venue.name, WARN, f"{venue.status}: what is held there may stay open; {orders}", age_s)
    if venue.open_orders != 0:
        return Check(venue.name, WARN, f"{venue.status}{to}; {orders}: they may still fill", age_s)
    return Check(venue.name, PASS, f"{venue.status}{to}; {orders}", age_s)


def _markets(settings: Settings, snapshot: Snapshot, now: float) -> Iterator[Check]:
    """Where the configuration says which exchange a broker's orders go to, whether that is open."""
    at = by_venue(settings, snapshot)
    for part in settings.venues:
        symbols = [one.symbol for one in at.get(part.name.upper(), ())]
        if part.exchange is None or not symbols:
            continue
        found = local(part.exchange, now, settings.holidays.get(part.exchange, ()))
        if found is None:
            yield Check(part.exchange, WARN, f"its hours are not known: {', '.join(sorted(symbols))}")
        elif not found[1]:
            words = f"closed ({found[0]} there), stays open until it opens: {', '.join(sorted(symbols))}"
            yield Check(part.exchange, WARN, words)


def by_venue(settings: Settings, snapshot: Snapshot) -> Mapping[str, list[Position]]:
    """What is held, by where it was filled last."""
    try:
        venues = last_venues(settings.below_root(settings.scripts.ledger))
    except BackendError:
        venues = {}
    found: dict[str, list[Position]] = {}
    for one in snapshot.risk.value.positions if snapshot.risk.value else ():
        if one.qty is None or one.qty:
            found.setdefault(venues.get(one.symbol, UNPLACED).upper(), []).append(one)
    return found


def impact(settings: Settings, snapshot: Snapshot, now: float) -> Iterator[str]:
    """Money, then orders and seconds by venue."""
    risk = snapshot.risk.value
    if risk is None:
        yield "positions are unknown"
        return
    if not snapshot.risk.is_live(now):
        yield "as last read, which is too old to act on:"
    gross = "unknown" if risk.gross_usd is None else f"{risk.gross_usd:,.0f}"
    net = "unknown" if risk.net_usd is None else f"{risk.net_usd:,.0f}"
    yield f"{len(held(snapshot))} positions, gross {gross}, net {net}: {listed(held(snapshot))}"
    per_s = settings.scripts.orders_per_s
    for venue, positions in sorted(by_venue(settings, snapshot).items()):
        orders = sum(_slices(one, settings.scripts.slice_usd) for one in positions)
        most = f"{orders} orders of at most {settings.scripts.slice_usd:,.0f}"
        yield f"{venue}: {len(positions)} positions, about {most}: {orders / per_s:.0f} s at {per_s} orders/s"
    yield "orders at the market: a closed market fills nothing, and what stays open is listed"


def _slices(position: Position, slice_usd: float) -> int:
    return max(1, math.ceil(abs(position.notional_usd or 0.0) / slice_usd))
