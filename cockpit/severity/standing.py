"""How long findings stand: raised at once, kept while unknown, cleared after a quiet moment; state in, state out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from cockpit.model.finding import Finding, Seen, Since
from cockpit.model.severity import Severity
from cockpit.text import clean

SUMMARY_CELLS = 160
"""A bound on words from outside; whoever shows them cuts them to the room there is."""
Key = tuple[str, str]

WATCHED_S = 15.0
"""Who saw it so shortly before us was still watching when we began."""
LOST_S = 900.0
"""Nobody watched for longer: whether it is the same one is not known."""

HALTED = ("kill_switch_engaged", "kill_switch_restored")
"""Comes after all else of its class: it has the big letters, and is the answer to what it would stand before."""
LAST_KNOWN = "last known: "
"""Stands before the words of what nobody can look at again now."""
WAITING = "halt_waiting"
"""Comes before all else: somebody believes that trading is halted, or wants it to be."""
SHARED = "redis_slow"
"""Comes before all else of its class: what is read through a slow Redis is late because of it."""
DEAD = "backend_silent"
"""Comes before what is only wrong with data: an old gap in the candles hid a Docker that had just died."""


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
    after_s: float = 0.0
    """It must have been so for this long, in seconds."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A finding that was raised, shown or still awaiting its next reading."""

    finding: Finding
    raised_at: float
    seen: int
    reading_at: float | None
    is_shown: bool
    kept: object = None


Past = Mapping[Key, Seen]
NO_PAST: Past = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Memory:
    """What one look at the platform leaves for the next."""

    standing: Mapping[Key, Standing] = field(default_factory=lambda: MappingProxyType({}))
    judged: frozenset[str] = frozenset()
    """The rules whose source answered: what they did not find was not there."""
    past: Past = field(default_factory=lambda: NO_PAST)
    """What cockpits before us saw, as far as we have not looked for ourselves."""

    def recalling(self, past: Past) -> Memory:
        """The same, knowing what others saw."""
        return replace(self, past=_unlooked(past, self.standing, self.judged))


NOTHING = Memory()


def fold(
    memory: Memory,
    raised: Iterable[Raised],
    held: Set[str],
    now: float,
    clear_after_s: float,
    judged: frozenset[str] = frozenset(),
) -> Memory:
    """The findings that stand now.

    `held` names the rules whose source does not answer: what they said last stands, marked as such, because not
    knowing is no reason to believe that it is over. Of two on the same subject, as alerts of one name are, the worse
    counts.
    """
    before, past = memory.standing, memory.past
    worst_last = sorted(raised, key=lambda one: one.finding.severity, reverse=True)
    keyed = ((one.finding.key, one) for one in worst_last)
    standing = {key: _raise(before.get(key), one, now, past.get(key)) for key, one in keyed}
    for key, old in before.items():
        if key in standing:
            continue
        if old.is_shown and old.finding.rule in held:
            standing[key] = replace(old, finding=last_known(old.finding), raised_at=now)
        elif old.is_shown and now - old.raised_at < clear_after_s:
            # Somebody may have set the clock back since: it clears after a quiet moment all the same.
            standing[key] = replace(old, raised_at=min(old.raised_at, now))
    return Memory(MappingProxyType(standing), judged, _unlooked(past, standing, judged))


def _unlooked(past: Past, standing: Mapping[Key, Standing], judged: frozenset[str]) -> Past:
    left = {key: seen for key, seen in past.items() if key in standing or key[0] not in judged}
    return past if len(left) == len(past) else MappingProxyType(left)


def shown(memory: Memory) -> tuple[Finding, ...]:
    """The findings to show: worst first, then what may be the cause of the others, then oldest."""
    findings = (one.finding for one in memory.standing.values() if one.is_shown)
    return tuple(sorted(findings, key=_order))


def _order(one: Finding) -> tuple[Severity, bool, bool, bool, bool, float, str, str]:
    kind = (one.rule != WAITING, one.rule in HALTED, one.rule != SHARED, one.rule != DEAD)
    return one.severity, *kind, one.since, one.rule, one.subject


def next_clear_at(memory: Memory, clear_after_s: float, now: float) -> float | None:
    """When the next finding that is quiet already will clear; None where none is."""
    standing = memory.standing.values()
    due = [one.raised_at + clear_after_s for one in standing if one.is_shown and one.raised_at < now]
    return min(due, default=None)


def _raise(old: Standing | None, one: Raised, now: float, past: Seen | None) -> Standing:
    if old is None:
        seen, since, since_is = 1, now, one.finding.since_is
    else:
        seen = old.seen + (one.reading_at != old.reading_at)
        since, since_is = min(old.finding.since, now), old.finding.since_is
    if one.since is not None and (old is None or (since_is is Since.OR_EARLIER and one.since < since)):
        since, since_is = min(one.since, now), Since.EXACT
    elif since_is is Since.OR_EARLIER and past is not None:
        since, since_is = _continued(since, past)
    is_believed = seen >= one.readings and now - since >= one.after_s
    is_shown = is_believed or (old is not None and old.is_shown)
    summary = clean(one.finding.summary, SUMMARY_CELLS)
    finding = replace(one.finding, since=since, since_is=since_is, summary=summary)
    return Standing(finding, now, seen, one.reading_at, is_shown, one.kept)


def _continued(first: float, past: Seen) -> tuple[float, Since]:
    """The beginning of what was there when we first looked, by what others saw of it before."""
    unwatched_s = first - past.seen_at
    if past.since >= first or unwatched_s > LOST_S:
        return first, Since.OR_EARLIER
    return past.since, past.since_is if unwatched_s <= WATCHED_S else Since.WITH_A_GAP


def is_last_known(finding: Finding) -> bool:
    """Whether nobody can look at it again now."""
    return finding.observed.endswith("(last known)")


def last_known(finding: Finding) -> Finding:
    """The finding, marked as one that nobody can look at again now."""
    if is_last_known(finding):
        return finding
    summary = LAST_KNOWN + clean(finding.summary, SUMMARY_CELLS - len(LAST_KNOWN))
    return replace(finding, summary=summary, observed=f"{finding.observed} (last known)".lstrip())
