"""Preserve state: whether Redis and the ledger were kept lately, before a step that may lose something of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from cockpit.clients.kept import Kept, newest
from cockpit.config import Settings
from cockpit.errors import BackendError
from cockpit.model.plan import Check, Verdict
from cockpit.model.snapshot import Snapshot

NAME = "state kept"
HOW = "take a snapshot first (Space r s)"
AGAIN = "once Redis answers, the replay needs another (Space r s)"
"""What was kept while Redis was down lacks what Redis has when it is back."""


def kept_check(settings: Settings, snapshot: Snapshot, now: float) -> Check:
    """One question, answered by the folder of snapshots; where Redis is down there is only the ledger to keep."""
    try:
        kept = newest(settings.below_root(settings.snapshots.folder))
    except BackendError as error:
        return _missing(settings, str(error))
    if kept is None:
        return _missing(settings, "nothing is kept yet")
    age_s = now - kept.taken_at
    if not -1.0 <= age_s <= settings.snapshots.max_age_s:
        limit = f"at most {settings.snapshots.max_age_s / 60:.0f} min counts"
        return _missing(settings, f"the newest snapshot is {_age(age_s)}: {limit}", age_s)
    return _judged(settings, snapshot, kept, now, age_s)


def _judged(settings: Settings, snapshot: Snapshot, kept: Kept, now: float, age_s: float) -> Check:
    where = f"{kept.folder.name}, {_age(age_s)}"
    if kept.ledger is None and has_ledger(settings):
        return Check(NAME, Verdict.FAIL, f"{where}: without the ledger; {HOW}", age_s)
    if kept.redis is None and snapshot.redis.is_live(now):
        return Check(NAME, Verdict.FAIL, f"{where}: without Redis, which answers; {HOW}", age_s, is_overridable=True)
    if kept.ledger_fault is not None:
        return Check(NAME, Verdict.WARN, f"{where}, BUT the ledger's {kept.ledger_fault}", age_s)
    if kept.redis is None:
        return Check(NAME, Verdict.WARN, f"{where}: the ledger only; {AGAIN}", age_s)
    return Check(NAME, Verdict.PASS, f"{where}: {kept.redis}; {kept.ledger or 'there is no ledger'}", age_s)


def chain_check(settings: Settings) -> Iterator[Check]:
    """What the newest snapshot found in the ledger's chain; nothing where none looked."""
    with suppress(BackendError):
        kept = newest(settings.below_root(settings.snapshots.folder))
        if kept is not None and kept.ledger_fault is not None:
            words = f"the ledger's {kept.ledger_fault} (by snapshot {kept.folder.name}): mend it, then take another"
            yield Check("hash chain", Verdict.FAIL, words)
        elif kept is not None and kept.ledger is not None:
            yield Check("hash chain", Verdict.PASS, f"{kept.ledger}; verified again before anything is written")


def has_ledger(settings: Settings) -> bool:
    """Whether there is a ledger to keep."""
    return settings.below_root(settings.scripts.ledger).is_file()


def _missing(settings: Settings, words: str, age_s: float | None = None) -> Check:
    """Without a ledger, and perhaps without Redis, there may be nothing that could be kept."""
    return Check(NAME, Verdict.FAIL, f"{words}; {HOW}", age_s, is_overridable=not has_ledger(settings))


def _age(age_s: float) -> str:
    """In words.

    >>> _age(12.0), _age(600.0), _age(-60.0)
    ('12 s old', '10 min old', 'dated in the future')
    """
    if age_s < -1.0:
        return "dated in the future"
    return f"{max(0.0, age_s):.0f} s old" if age_s < 120 else f"{age_s / 60:.0f} min old"
