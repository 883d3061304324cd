"""The snapshot in the words that a plan needs: what runs, what stays, and what else stops trading."""

from __future__ import annotations

from datetime import UTC, datetime

from actions.by_hand import stop_orders
from actions.catalogue import ACTIONS
from cockpit.config import Settings
from cockpit.model.snapshot import Snapshot
from cockpit.model.states import KillSwitch

HALT_ROUTER = "halt-router"
"""The runbook's step that halts where Redis cannot."""
FLAT = "halted is not cancelled is not flat"


def open_orders(snapshot: Snapshot) -> str:
    """Open orders at each broker, as last reported."""
    venues = snapshot.venues.value
    if not venues:
        return "open orders at the brokers: unknown"
    is_split = any(venue.open_orders is None for venue in venues)
    counts = ("; " if is_split else ", ").join(f"{venue.name} {venue.orders_words}" for venue in venues)
    return f"open orders stay: {counts}"


def positions(snapshot: Snapshot) -> str:
    """What is held."""
    risk = snapshot.risk.value
    if risk is None:
        return f"positions stay as they are: number unknown ({FLAT})"
    gross = "" if risk.gross_usd is None else f", gross {risk.gross_usd:,.0f}"
    return f"{risk.held_words} stay open{gross} ({FLAT})"


def rate(snapshot: Snapshot, label: str) -> float | None:
    """Orders a second on one of the order streams; None = unknown."""
    flow = snapshot.flow.value
    stream = None if flow is None else flow.stream(label)
    return None if stream is None else stream.rate_per_s


def standing(switch: KillSwitch, now: float) -> str:
    """For how long and by whom it is engaged."""
    since = "" if switch.since is None else f" for {duration(now - switch.since)}"
    by = f" by {switch.by}" if switch.by else ""
    why = f": {switch.reason}" if switch.reason else ""
    return f"engaged{since}{by}{why}"


def duration(seconds: float) -> str:
    """In the largest sensible unit.

    >>> duration(12.3), duration(240), duration(7300)
    ('12 s', '4 min', '2.0 h')
    """
    seconds = max(0.0, seconds)
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def other_rungs(settings: Settings) -> tuple[str, ...]:
    """What stops trading where Redis does not: by hand, the surest first."""
    venues = ", ".join(f"{venue.name} {venue.phone or ''}".rstrip() for venue in settings.venues)
    call = f"call the brokers{f' ({venues})' if venues else ''} and have trading blocked there"
    line = stop_orders(settings)
    return (f"stop the router{_keys(settings)} by hand: {line}", call) if line else (call,)


def _keys(settings: Settings) -> str:
    """Those of the step that does it; not where a fund's own runbook may have other ones."""
    rows = ACTIONS if settings.runbook is None else ()
    row = next((row for row in rows if row.step == HALT_ROUTER), None)
    return f": {row.keys}, or" if row is not None else ""


def utc(at: float) -> str:
    """A moment as it stands in logs."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%SZ}"
