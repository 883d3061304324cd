"""What the platform does, as events for the timeline: findings that stand or have gone, jobs confirmed and ended."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from cockpit.incidents.metrics import CLEARED, FINDING, outstanding
from cockpit.incidents.opening import serious
from cockpit.incidents.spans import clock, span
from cockpit.model.finding import Assessment, Finding, Since
from cockpit.model.incident import Event, Incident
from cockpit.model.job import Job, Phase, StepState
from cockpit.model.severity import Severity
from cockpit.model.snapshot import Snapshot
from cockpit.severity.judge import RULES
from cockpit.storage.incident_text import safe_key

RAISED_S = 2.0
"""A finding that does not stand for so long is no news."""
CLEARED_S = 3.0
"""So long it must be gone before it counts as cleared."""
BEFORE_S = 900.0
"""What was confirmed earlier than this before the trouble began is no part of it, however it stands."""
PANEL_OF = {rule.name: rule.panel for rule in RULES}
ENGAGE, RELEASE = "kill_switch.engage", "kill_switch.release"


@dataclass(slots=True)
class _Sight:
    """One finding, as this cockpit has seen it."""

    finding: Finding
    first_at: float
    last_at: float
    told: Finding
    """As it was first seen since it began, or since it is so severe: its details grow."""
    told_at: float

    @classmethod
    def new(cls, finding: Finding, now: float) -> _Sight:
        """Seen for the first time."""
        return cls(finding, now, now, finding, now)

    def again(self, finding: Finding, now: float) -> None:
        """Seen once more."""
        if finding.severity is not self.told.severity or finding.since > self.told_at:
            self.told, self.told_at = finding, now
        self.finding, self.last_at = finding, now


@dataclass(slots=True)
class Sightings:
    """Remembers what was seen; says what the timeline of the open incident still lacks."""

    _seen: dict[str, _Sight] = field(default_factory=dict)
    _told: dict[str, str] = field(default_factory=dict)
    """What the timeline says of each subject last, as far as we know."""
    _inherited: dict[str, str] = field(default_factory=dict)
    """What of that was wrong, in the words of the cockpit that told it."""
    _jobs: set[str] = field(default_factory=set)
    """Keys of what it says of jobs."""
    _for: str = ""

    def due(self, snapshot: Snapshot, incident: Incident | None, after: float = 0.0) -> tuple[Event, ...]:
        """Events that are to be written now, oldest first; call it for every snapshot, also while none is open.

        `after` is when the incident before it was closed: what was done until then belongs to that one.
        """
        self._look(snapshot)
        if incident is None:
            self._for = ""
            return ()
        if incident.id != self._for:
            self._for, self._jobs = incident.id, set()
            standing = outstanding(incident.timeline)
            self._told = {about: _word(entry.key) for about, entry in standing.items()}
            self._inherited = {about: _subject(entry.text) for about, entry in standing.items()}
        events = [
            *self._raised(snapshot.taken_at),
            *self._gone(snapshot),
            *self._worked(snapshot, incident.from_at, max(after, incident.from_at - BEFORE_S)),
        ]
        return tuple(sorted(events, key=lambda event: event.at))

    def is_about(self, incident: Incident) -> bool:
        """Whether what this incident's timeline says is known already."""
        return incident.id == self._for

    def written(self, events: tuple[Event, ...]) -> None:
        """They are in the file: they are not due again."""
        for event in events:
            if event.is_state:
                self._told[event.key.rpartition("/")[0]] = _word(event.key)
            else:
                self._jobs.add(event.key)

    def _look(self, snapshot: Snapshot) -> None:
        now = snapshot.taken_at
        for finding in serious(snapshot.assessment):
            about = _about(finding)
            known = self._seen.get(about)
            if known is None or now - known.last_at > CLEARED_S:
                self._seen[about] = _Sight.new(finding, now)
            else:
                known.again(finding, now)

    def _raised(self, now: float) -> list[Event]:
        events = []
        for about, sight in self._seen.items():
            stands_s = sight.last_at - sight.first_at  # what the platform dates back may flicker all the same
            word = sight.finding.severity.label
            is_news = self._told.get(about) in (None, CLEARED) or word < self._told[about]
            if stands_s >= RAISED_S and is_news and now - sight.last_at < CLEARED_S:
                is_worse = about in self._told and self._told[about] != CLEARED
                at, words = sight.last_at, _words(sight.finding)
                if not is_worse:
                    at = sight.finding.since
                    words = _words(sight.told, sight.told_at if sight.told_at - at > CLEARED_S else None)
                events.append(Event(at, "finding", words, f"{about}/{word}", is_state=True))
        return events

    def _gone(self, snapshot: Snapshot) -> list[Event]:
        """What a panel that cannot be judged does not show is not gone."""
        events = []
        for about, word in self._told.items():
            sight = self._seen.get(about)
            if word == CLEARED or (snapshot.assessment.severity is Severity.UNKNOWN and not snapshot.assessment.panels):
                continue
            if _is_blind(sight.finding if sight else _unknown(about, snapshot.taken_at), snapshot.assessment):
                if sight is not None:
                    sight.last_at = snapshot.taken_at
            elif sight is None:
                # Told by a cockpit before us: it is gone once we have looked for as long as it takes to see it.
                self._seen[about] = _Sight.new(_unknown(about, snapshot.taken_at), snapshot.taken_at)
            elif snapshot.taken_at - sight.last_at > CLEARED_S:
                words = _over(sight, self._inherited.get(about, ""))
                events.append(Event(sight.last_at, "cleared", words, f"{about}/{CLEARED}", is_state=True))
        return events

    def _worked(self, snapshot: Snapshot, began: float, after: float) -> list[Event]:
        events = []
        for job in _belonging(snapshot.jobs, began, after):
            events.append(Event(job.submitted_at, "action", _confirmed(job), f"job/{job.id}/confirmed"))
            if job.phase.is_over:
                ended = job.ended_at if job.ended_at is not None else snapshot.taken_at
                events.append(Event(ended, "outcome", _ended(job), f"job/{job.id}/{_slug(job.phase)}"))
        return [event for event in events if event.key not in self._jobs]


def _belonging(jobs: Sequence[Job], began: float, after: float) -> Iterator[Job]:
    """What was not over as the trouble began, and the halt before it that still stands."""
    late = [job for job in jobs if job.submitted_at >= after]
    halts = [job for job in late if job.action in (ENGAGE, RELEASE) and job.phase is Phase.DONE]
    newest = max(halts, key=lambda job: job.submitted_at, default=None)
    for job in late:
        is_over = job.ended_at is not None and job.ended_at < began
        if not is_over or (job is newest and job.action == ENGAGE):
            yield job


def _about(finding: Finding) -> str:
    """As it stands in the file, too."""
    return safe_key(f"{FINDING}{finding.rule}/{finding.subject.replace('/', '_')}")


def _word(key: str) -> str:
    return key.rpartition("/")[2]


def _is_blind(finding: Finding, assessment: Assessment) -> bool:
    """Whether it could not be seen if it still stood; of one without a panel, whether anything cannot be seen."""
    if finding.panel:
        return assessment.panel(finding.panel) is Severity.UNKNOWN
    return any(severity is Severity.UNKNOWN for _, severity in assessment.panels)


def _unknown(about: str, now: float) -> Finding:
    """A finding of which only the name is left, and where it would be seen."""
    _, rule, subject = about.split("/", 2)
    return Finding(rule, subject, Severity.P2, PANEL_OF.get(rule, ""), "", "", "", now)


def _over(sight: _Sight, inherited: str) -> str:
    """For how long it stood; of what nobody saw end, by when it had."""
    if not sight.finding.summary:
        return f"{inherited}: over by {clock(sight.first_at)}Z, seen only when a cockpit was open again"
    lasted = span(max(0.0, sight.last_at - min(sight.first_at, sight.finding.since)))
    more = " or more" if sight.finding.since_is is Since.OR_EARLIER else ""
    return f"{_brief(sight.finding)}: over after {lasted}{more}"


def _subject(told: str) -> str:
    """What was wrong, of a line that told it.

    >>> _subject("P1 IBKR down: 1100 lost (3.1 Broker outage) › Space b"), _subject("P2 a (b) late (3.2), as seen at x")
    ('IBKR down', 'a (b) late')
    """
    return re.sub(r"^P\d |(?<!alert firing): .*| \(\d\.\d\b.*| › .*|, as seen at .*", "", told)


def _brief(finding: Finding) -> str:
    """What comes after the colon is detail of that moment.

    >>> _brief(Finding("r", "s", Severity.P1, "", "Redis does not answer: refused", "", "", 0.0))
    'Redis does not answer'
    >>> _brief(Finding("alert_firing", "Latency", Severity.P2, "", "alert firing: Latency", "", "", 0.0))
    'alert firing: Latency'
    """
    return re.sub(r"(?<!alert firing): .*", "", finding.summary)


def _words(finding: Finding, seen_at: float | None = None) -> str:
    """What it says; `seen_at` is when it said so, where that is not when it began."""
    keys = f" › {finding.keys}" if finding.keys else ""
    section = f" ({finding.section} {finding.section_title or ''})".replace(" )", ")") if finding.section else ""
    seen = f", as seen at {clock(seen_at)}Z" if seen_at is not None else ""
    return f"{finding.severity.label} {finding.summary}{section}{seen}{keys}"


def _confirmed(job: Job) -> str:
    reason = f": {job.reason}" if job.reason else ""
    overridden = f", overriding {', '.join(job.overrides)}" if job.overrides else ""
    return f"{job.title} on {job.target}, confirmed by {job.by}{overridden}{reason}"


def _ended(job: Job) -> str:
    took = f" after {job.ended_at - job.submitted_at:.1f} s" if job.ended_at is not None else ""
    held = [
        f"{proof.name} {proof.took_s:.1f} s"
        for proof in job.proofs
        if proof.state is StepState.DONE and proof.took_s is not None
    ]
    proven = f"; proven: {', '.join(held)}" if held and job.phase is Phase.DONE else ""
    error = f"; {job.error}" if job.error else ""
    notes = f"; {'; '.join(job.notes)}" if job.notes else ""
    return f"{job.title} {job.phase.value.upper()}{took}{proven}{error}{notes}"


def _slug(phase: Phase) -> str:
    return phase.value.replace(" ", "-")


def brief(event: Event, limit: int = 400) -> Event:
    """The event with no more words than a timeline needs."""
    return replace(event, text=event.text if len(event.text) <= limit else event.text[: limit - 1] + "…")
