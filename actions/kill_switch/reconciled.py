"""Whether everybody agrees on what is held before trading starts again: ledger, Redis, brokers."""

from __future__ import annotations

from collections.abc import Iterator

from actions.checks import WARN
from actions.script.book import ledger_check
from cockpit.config import Settings
from cockpit.model.plan import Check
from cockpit.model.snapshot import Snapshot


def reconciled(settings: Settings, snapshot: Snapshot, now: float) -> Iterator[Check]:
    """Positions of the ledger beside those in Redis; what the brokers hold the cockpit cannot read."""
    yield ledger_check(settings, snapshot, now)
    names = ", ".join(venue.name for venue in settings.venues) or "the brokers"
    yield Check("broker positions", WARN, f"not read by the cockpit: compare what {names} hold before you release")
