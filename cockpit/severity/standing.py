"""How long findings stand: raised at once, kept while unknown, cleared after a quiet moment; state in, state out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace
from types import MappingProxyType

from cockpit.model.finding import Finding
from cockpit.text import clean

SUMMARY_CELLS = 60
Key = tuple[str, str]

HALTED = "kill_switch_engaged"
"""Comes after all else of its class: it has the big letters, and is the answer to what it would stand before."""


@dataclass(frozen=True, slots=True)
class Raised:
    """What a rule says now."""

    finding: Finding
    readings: int = 1
    """How many readings in a row must show it."""
    reading_at: float | None = None
    """Which reading showed it."""
    since: float | None = None
    """Where the platform itself says since when."""
    kept: object = None
    """What its rule wants to remember."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A finding that was raised, shown or still awaiting its next reading."""

    finding: Finding
    raised_at: float
    seen: int
    reading_at: float | None
    is_shown: bool
    kept: object = None


Memory = Mapping[Key, Standing]
NOTHING: Memory = MappingProxyType({})


def fold(memory: Memory, raised: Iterable[Raised], held: Set[str], now: float, clear_after_s: float) -> Memory:
    """The findings that stand now.

    `held` names the rules whose source does not answer: what they said last stands, marked as such, because not
    knowing is no reason to believe that it is over.
    """
    standing = {_key(one.finding): _raise(memory.get(_key(one.finding)), one, now) for one in raised}
    for key, old in memory.items():
        if key in standing:
            continue
        if old.is_shown and old.finding.rule in held:
            standing[key] = replace(old, finding=last_known(old.finding), raised_at=now)
        elif old.is_shown and now - old.raised_at < clear_after_s:
            # Somebody may have set the clock back since: it clears after a quiet moment all the same.
            standing[key] = replace(old, raised_at=min(old.raised_at, now))
    return MappingProxyType(standing)


def shown(memory: Memory) -> tuple[Finding, ...]:
    """The findings to show: worst first, then oldest."""
    findings = (one.finding for one in memory.values() if one.is_shown)
    return tuple(sorted(findings, key=lambda one: (one.severity, one.rule == HALTED, one.since, one.rule, one.subject)))


def next_clear_at(memory: Memory, clear_after_s: float, now: float) -> float | None:
    """When the next finding that is quiet already will clear; None where none is."""
    due = [one.raised_at + clear_after_s for one in memory.values() if one.is_shown and one.raised_at < now]
    return min(due, default=None)


def _raise(old: Standing | None, one: Raised, now: float) -> Standing:
    if old is None:
        seen, since = 1, one.since or now
    else:
        seen, since = old.seen + (one.reading_at != old.reading_at), min(old.finding.since, now)
    is_shown = seen >= one.readings or (old is not None and old.is_shown)
    summary = clean(one.finding.summary, SUMMARY_CELLS)
    return Standing(replace(one.finding, since=since, summary=summary), now, seen, one.reading_at, is_shown, one.kept)


def _key(finding: Finding) -> Key:
    return finding.rule, finding.subject


def last_known(finding: Finding) -> Finding:
    """The finding, marked as one that nobody can look at again now."""
    if finding.observed.endswith("(last known)"):
        return finding
    note = "last known: "
    summary = note + clean(finding.summary, SUMMARY_CELLS - len(note))
    return replace(finding, summary=summary, observed=f"{finding.observed} (last known)".lstrip())
