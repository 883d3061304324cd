"""Positions in Redis beside those in the ledger."""

from __future__ import annotations

from collections.abc import Mapping

from actions.checks import FAIL, PASS, UNKNOWN, evidence_error
from actions.step import Stage
from cockpit.clients.ledger import read_ledger
from cockpit.config import Settings
from cockpit.errors import BackendError
from cockpit.model.job import JobStep, StepState
from cockpit.model.plan import Check
from cockpit.model.shares import shares_words
from cockpit.model.snapshot import Snapshot

LEDGER_EQUAL = "positions equal the ledger's"
LEDGER_REDIS = "ledger = Redis"
REPLAY = "replay first (Space r p)"
MOST_NAMED = 8
MOST_DIFFERENT = 4


def writable(snapshot: Snapshot, now: float) -> Check:
    """Whether Redis answers and takes writes: by fresh evidence."""
    name = "Redis takes writes"
    unknown = evidence_error(name, snapshot.redis, now)
    if unknown is not None:
        return unknown
    redis, age_s = snapshot.redis.value, snapshot.redis.age_s(now)
    assert redis is not None
    if redis.is_loading:
        return Check(name, FAIL, "it is loading its data", age_s)
    if redis.refuses_writes:
        return Check(name, FAIL, "it refuses writes (MISCONF)", age_s)
    if redis.role != "primary":
        return Check(name, FAIL, f"it is a {redis.role}: it refuses writes", age_s)
    return Check(name, PASS, f"answers in {redis.round_trip_ms:.1f} ms", age_s)


def halted(snapshot: Snapshot, now: float, otherwise: str) -> Check:
    """Whether trading is halted, by fresh evidence; `otherwise` says what would happen without."""
    unknown = evidence_error("kill switch", snapshot.kill_switch, now)
    if unknown is not None:
        return unknown
    assert snapshot.kill_switch.value is not None
    age_s = snapshot.kill_switch.age_s(now)
    if not snapshot.kill_switch.value.is_engaged:
        return Check("kill switch", FAIL, f"not engaged: press K first, or {otherwise}", age_s)
    return Check("kill switch", PASS, "engaged", age_s)


def held(snapshot: Snapshot) -> dict[str, float | None]:
    """Symbol -> quantity in Redis, those at 0 left out; None where it cannot be read."""
    found = snapshot.risk.value.positions if snapshot.risk.value else ()
    return {one.symbol: one.qty for one in found if one.qty is None or one.qty}


def ledger_check(settings: Settings, snapshot: Snapshot, now: float, is_overridable: bool = False) -> Check:
    """The same before anything is done; `is_overridable` where somebody may know that Redis is right."""
    unknown = evidence_error(LEDGER_REDIS, snapshot.risk, now)
    if unknown is not None:
        return unknown
    try:
        ledger = read_ledger(settings.below_root(settings.scripts.ledger)).positions
    except BackendError as error:
        # Not every host holds the ledger: somebody may have compared elsewhere.
        return Check(LEDGER_REDIS, UNKNOWN, str(error), is_overridable=True)
    redis, age_s = held(snapshot), snapshot.risk.age_s(now)
    different = _different(redis, ledger)
    if not different:
        return Check(LEDGER_REDIS, PASS, f"{len(ledger)} positions agree", age_s)
    if not redis:
        # Redis says so by nothing at all: that is no word on what is held.
        words = f"Redis lost {len(ledger)} position{'' if len(ledger) == 1 else 's'}: {REPLAY}"
        return Check(LEDGER_REDIS, FAIL, f"{words}; ledger: {listed(ledger)}", age_s)
    named = ", ".join(
        f"{symbol} {quantity(ledger.get(symbol, 0.0))} and {quantity(redis.get(symbol, 0.0))}"
        for symbol in different[:MOST_DIFFERENT]
    )
    named += f" and {len(different) - MOST_DIFFERENT} more" if len(different) > MOST_DIFFERENT else ""
    words = f"not for {len(different)} symbol{'' if len(different) == 1 else 's'}: {named}"
    return Check(LEDGER_REDIS, FAIL, words, age_s, is_overridable=is_overridable)


def _different(redis: Mapping[str, float | None], ledger: Mapping[str, float]) -> list[str]:
    return sorted(symbol for symbol in redis.keys() | ledger.keys() if redis.get(symbol) != ledger.get(symbol))


def ledger_equal(stage: Stage) -> JobStep:
    """Symbol by symbol."""
    sample = stage.snapshot.risk
    if sample.value is None or not sample.is_live(stage.clock.now()):
        return JobStep(LEDGER_EQUAL, StepState.UNKNOWN, sample.error or "positions not read")
    try:
        ledger = read_ledger(stage.settings.below_root(stage.settings.scripts.ledger)).positions
    except BackendError as error:
        return JobStep(LEDGER_EQUAL, StepState.UNKNOWN, str(error))
    redis = held(stage.snapshot)
    different = _different(redis, ledger)
    if not different:
        return JobStep(LEDGER_EQUAL, StepState.DONE, f"{len(ledger)} positions")
    words = ", ".join(
        f"{symbol} {quantity(redis.get(symbol, 0.0))} and {quantity(ledger.get(symbol, 0.0))}"
        for symbol in different[:MOST_NAMED]
    )
    return JobStep(LEDGER_EQUAL, StepState.RUNNING, f"{len(different)} differ, Redis and ledger: {words}")


def ledger_words(settings: Settings, now: float) -> str:
    """How far the ledger reaches.

    Raises:
        BackendError: it cannot be read.
    """
    ledger = read_ledger(settings.below_root(settings.scripts.ledger))
    newest = "" if ledger.newest_ms is None else f", the newest {max(0.0, now - ledger.newest_ms / 1000):.0f} s old"
    return f"the ledger holds {ledger.events:,} events{newest}, {len(ledger.positions)} positions"


def listed(positions: Mapping[str, float | None]) -> str:
    """What is held, in words."""
    named = [f"{symbol} {quantity(qty)}" for symbol, qty in sorted(positions.items())]
    more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    return ", ".join(named[:MOST_NAMED]) + more


def quantity(qty: float | None) -> str:
    """A number of shares."""
    return "unreadable" if qty is None else shares_words(qty)
