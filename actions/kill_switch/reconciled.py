"""Whether everybody agrees on what is held before trading starts again: ledger, Redis, brokers."""

from __future__ import annotations

from collections.abc import Iterator

from actions.checks import FAIL, PASS, UNKNOWN, WARN, evidence_error
from actions.script.book import held, quantity
from cockpit.clients.ledger import read_ledger
from cockpit.config import Settings
from cockpit.errors import BackendError
from cockpit.model.plan import Check
from cockpit.model.snapshot import Snapshot

NAME = "ledger = Redis"
MOST_NAMED = 4


def reconciled(settings: Settings, snapshot: Snapshot, now: float) -> Iterator[Check]:
    """Positions of the ledger beside those in Redis; what the brokers hold the cockpit cannot read."""
    yield _ledger(settings, snapshot, now)
    names = ", ".join(venue.name for venue in settings.venues) or "the brokers"
    yield Check("broker positions", WARN, f"not read by the cockpit: compare what {names} hold before you release")


def _ledger(settings: Settings, snapshot: Snapshot, now: float) -> Check:
    unknown = evidence_error(NAME, snapshot.risk, now)
    if unknown is not None:
        return unknown
    try:
        ledger = read_ledger(settings.below_root(settings.scripts.ledger)).positions
    except BackendError as error:
        # Not every host from which a halt is released holds the ledger: somebody may have compared elsewhere.
        return Check(NAME, UNKNOWN, str(error), is_overridable=True)
    redis, age_s = held(snapshot), snapshot.risk.age_s(now)
    different = sorted(symbol for symbol in redis.keys() | ledger.keys() if redis.get(symbol) != ledger.get(symbol))
    if not different:
        return Check(NAME, PASS, f"{len(ledger)} positions agree", age_s)
    named = ", ".join(
        f"{symbol} {quantity(ledger.get(symbol, 0.0))} and {quantity(redis.get(symbol, 0.0))}"
        for symbol in different[:MOST_NAMED]
    )
    return Check(NAME, FAIL, f"{len(different)} differ, ledger and Redis: {named}", age_s)
