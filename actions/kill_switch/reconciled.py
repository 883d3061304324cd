"""Whether everybody agrees on what is held before trading starts again: ledger, Redis, brokers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from actions.checks import FAIL, PASS, UNKNOWN, WARN
from actions.script.book import MOST_DIFFERENT, ledger_check, quantity
from cockpit.clients.brokers_held import Held
from cockpit.clients.ledger import NO_FILLS, Filled, held_by_venue
from cockpit.config import Settings
from cockpit.errors import BackendError
from cockpit.model.plan import Check
from cockpit.model.sample import Sample
from cockpit.model.shares import shares
from cockpit.model.snapshot import Snapshot
from cockpit.model.states import NOT_READ
from cockpit.text import clean

BROKERS = "broker positions"
BY_HAND = "before you release"


def reconciled(settings: Settings, snapshot: Snapshot, now: float) -> Iterator[Check]:
    """Positions of the ledger beside those in Redis, and beside what each broker says itself.

    Redis has one number a symbol, over all brokers: only the ledger tells where each fill was.
    """
    yield ledger_check(settings, snapshot, now)
    told = {reach.venue: reach.held for reach in snapshot.reach.value or ()}
    samples = {name: told.get(name, NOT_READ) for name in _markets(settings)}
    read = {name: sample for name, sample in samples.items() if sample.is_live(now)}
    yield from _compared(settings, read, now)
    missing = [name for name in samples if name not in read]
    if missing or not samples:
        names = ", ".join(missing) or "the brokers"
        why = "; ".join(f"{name}: {_why(samples[name], now)}" for name in missing if samples[name].is_asked)
        words = f"not read by the cockpit: compare what {names} hold {BY_HAND}"
        yield Check(BROKERS, WARN, f"{words} ({why})" if why else words)


def _why(sample: Sample[Held], now: float) -> str:
    return sample.error or f"last read {sample.age_s(now) or 0.0:.0f} s ago"


def _markets(settings: Settings) -> Iterator[str]:
    """Every broker whose orders reach a market: what is held on paper is held nowhere."""
    paper = {name.casefold() for name in settings.paper_adapters}
    for venue in settings.venues:
        if venue.name.casefold() not in paper:
            yield clean(venue.name, 40)


def _compared(settings: Settings, read: Mapping[str, Sample[Held]], now: float) -> Iterator[Check]:
    if not read:
        return
    try:
        ledger = held_by_venue(settings.below_root(settings.scripts.ledger))
    except BackendError as error:
        # Not every host holds the ledger: somebody may have compared elsewhere.
        yield Check(BROKERS, UNKNOWN, str(error), is_overridable=True)
        return
    for name, sample in read.items():
        yield _venue(name, sample, ledger.get(name.casefold(), NO_FILLS), now)


def _venue(name: str, sample: Sample[Held], filled: Filled, now: float) -> Check:
    title, age_s = f"{name} = ledger", sample.age_s(now)
    held, ledger = sample.value or {}, filled.positions
    told = {symbol: shares(sum(quantities)) for symbol, quantities in held.items()}
    differ = sorted(one for one in told.keys() | ledger.keys() if told.get(one, 0.0) != ledger.get(one, 0.0))
    if not differ:
        words = f"{len(told)} positions agree"
        if opposed := _opposed(held):
            # The ledger's fills are summed too: that both come to 0 does not make it flat.
            return Check(title, WARN, f"{words} in sum; by account {opposed}", age_s)
        return Check(title, PASS, words, age_s)
    if filled.newest_ms / 1000 >= (sample.value_at or 0.0):
        return Check(title, UNKNOWN, "a fill came since it was asked: it is asked again", age_s, is_overridable=True)
    named = ", ".join(
        f"{one} {quantity(told.get(one, 0.0))} and {quantity(ledger.get(one, 0.0))}" for one in differ[:MOST_DIFFERENT]
    )
    # Somebody may know of a transfer, a split, or a name that the two spell differently.
    return Check(title, FAIL, f"{len(differ)} differ, {name} and ledger: {named}", age_s, is_overridable=True)


def _opposed(held: Held) -> str:
    """What is long in one account and short in another."""
    found = sorted(symbol for symbol, quantities in held.items() if min(quantities) < 0 < max(quantities))
    more = f" and {len(found) - MOST_DIFFERENT} more" if len(found) > MOST_DIFFERENT else ""
    named = (f"{symbol} {', '.join(map(quantity, held[symbol]))}" for symbol in found[:MOST_DIFFERENT])
    return "; ".join(named) + more
