"""What is news: findings of class P1 and P2 that stand, and that they are gone. State in, state out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cockpit.config import AlertingPart
from cockpit.model.finding import Finding
from cockpit.model.severity import Severity
from cockpit.model.snapshot import Snapshot
from cockpit.severity.watch import is_blind

HOUR_S = 3600.0
ALL_CLEAR = "All clear: nothing of class P1 or P2 stands any more"


@dataclass(frozen=True, slots=True)
class Told:
    """What was told, as it is kept from one cockpit to the next."""

    findings: Mapping[str, int] = field(default_factory=dict)
    """rule/subject -> the class that was told."""
    sent_at: tuple[float, ...] = ()
    """Unix seconds, within the last hour."""
    urgent_at: tuple[float, ...] = ()
    """Those among them that told of P1."""

    def room_at(self, now: float, part: AlertingPart, severity: Severity = Severity.P2) -> bool:
        """Whether another message may go out now; one of P1 waits for others of P1 only."""
        sent_at = self.urgent_at if severity is Severity.P1 else self.sent_at
        recent = [at for at in sent_at if 0 <= now - at < HOUR_S]
        return len(recent) < part.hourly and all(now - at >= part.pause_s for at in recent)

    def forgotten(self) -> Told:
        """Whatever stands is news again; where nothing does, its end is still to be told."""
        return replace(self, findings=dict.fromkeys(self.findings, int(Severity.P3)))


@dataclass(frozen=True, slots=True)
class State:
    """What was told, and what is seen since when."""

    told: Told = field(default_factory=Told)
    since: Mapping[str, float] = field(default_factory=dict)
    """rule/subject -> when it was seen first."""
    seen_at: Mapping[str, float] = field(default_factory=dict)
    """rule/subject -> when it was seen last."""

    @classmethod
    def after(cls, told: Told, now: float) -> State:
        """Of a cockpit that takes over: what was told is gone only once it was looked for as long as any other."""
        return cls(told, {}, dict.fromkeys(told.findings, now))


@dataclass(frozen=True, slots=True)
class News:
    """What is to be told, and what has been told once it is sent."""

    headline: str
    severity: Severity
    """That of the worst it tells."""
    told: Told


def look(state: State, snapshot: Snapshot, part: AlertingPart) -> tuple[State, News | None]:
    """What this snapshot adds; the news become `told` only once they are sent."""
    if is_blind(snapshot) or not snapshot.assessment.panels:
        return state, None  # nobody watches: neither new nor gone
    now = snapshot.taken_at
    found = {_about(one): one for one in snapshot.assessment.findings if _is_serious(one)}
    state = _seen(state, found, now, part)
    return state, _news(state, found, now, part)


def _seen(state: State, found: Mapping[str, Finding], now: float, part: AlertingPart) -> State:
    """A finding that comes and goes within the all-clear's time is one finding."""
    last = {**state.seen_at, **dict.fromkeys(found, now)}
    # A clock that was set back must not leave anything seen in the future.
    last = {about: min(at, now) for about, at in last.items() if now - at < part.clear_s}
    since = {about: min(state.since.get(about, now), now) for about in last}
    return replace(state, since=since, seen_at=last)


def _news(state: State, found: Mapping[str, Finding], now: float, part: AlertingPart) -> News | None:
    told = state.told
    untold = {about: one for about, one in found.items() if one.severity < told.findings.get(about, Severity.P3)}
    new = {about: one for about, one in untold.items() if now - state.since[about] >= part.settle_s}
    standing = {about: level for about, level in told.findings.items() if about in state.seen_at}
    if new:
        worst = min(new.values(), key=lambda one: (one.severity, one.since))
        if any(one.severity < worst.severity for one in untold.values()):
            return None  # something worse is about to stand: it gives this message its class
        more = f" (and {len(new) - 1} more)" if len(new) > 1 else ""
        # What does not stand yet is told in its turn, whatever is in this message's text.
        known = {**standing, **{about: int(one.severity) for about, one in new.items()}}
        news = News(f"{worst.severity.label}: {worst.summary}{more}", worst.severity, _sent(told, known, worst, now))
    elif told.findings and not standing:
        news = News(ALL_CLEAR, Severity.P2, _sent(told, {}, None, now))
    else:
        return None
    return news if told.room_at(now, part, news.severity) else None


def _sent(told: Told, findings: Mapping[str, int], worst: Finding | None, now: float) -> Told:
    sent_at = (*(at for at in told.sent_at if now - at < HOUR_S), now)
    urgent_at = tuple(at for at in told.urgent_at if now - at < HOUR_S)
    if worst is not None and worst.severity is Severity.P1:
        urgent_at = (*urgent_at, now)
    return Told(findings, sent_at, urgent_at)


def _is_serious(finding: Finding) -> bool:
    """What follows another is in its message's text, and no news of its own."""
    return finding.severity <= Severity.P2 and not finding.is_expected and finding.follows is None


def _about(finding: Finding) -> str:
    return f"{finding.rule}/{finding.subject}"
