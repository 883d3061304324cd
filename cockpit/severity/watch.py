"""What to make of a snapshot that nobody renews: the platform may be well, only the cockpit no longer knows."""

from __future__ import annotations

from dataclasses import replace

from cockpit.model.finding import Assessment, Finding
from cockpit.model.severity import Severity
from cockpit.model.snapshot import Snapshot
from cockpit.severity import words
from cockpit.severity.standing import SUMMARY_CELLS, last_known
from cockpit.text import clean

RULE = "cockpit_blind"
OLD_S = 3.0
OLD_INTERVALS = 3.0
AHEAD_S = 1.0
STOPPED = "the cockpit itself has stopped watching"


def as_of(snapshot: Snapshot, now: float, interval_s: float) -> Snapshot:
    """The snapshot as it is to be read at `now`: itself while it is young, else dated to now and called unknown."""
    age_s = now - snapshot.taken_at
    if -AHEAD_S <= age_s <= max(OLD_S, OLD_INTERVALS * interval_s):
        return snapshot
    for_ = f"{STOPPED} for {words.seconds(age_s)}" if age_s > 0 else f"{STOPPED}: the clock went back"
    why = next((one.observed for one in snapshot.assessment.findings if one.rule == RULE), "")
    return replace(blind(snapshot, f"{for_}: {why}" if why else for_, why), taken_at=now)


def died(snapshot: Snapshot, why: str) -> Snapshot:
    """The last snapshot of a watcher that has come to an end."""
    return replace(blind(snapshot, f"{STOPPED}: {why}", why), seq=snapshot.seq + 1)


def blind(snapshot: Snapshot, summary: str, why: str) -> Snapshot:
    """Nothing is OK any more; what was wrong is listed as last known, below the reason."""
    old = snapshot.assessment
    finding = Finding(
        rule=RULE,
        subject="cockpit",
        severity=Severity.UNKNOWN,
        panel="cockpit",
        summary=clean(summary, SUMMARY_CELLS),
        observed=why,
        threshold=words.seconds(OLD_S),
        since=snapshot.taken_at,
    )
    known = (last_known(one) for one in old.findings if one.rule != RULE)
    panels = tuple((name, min(severity, Severity.UNKNOWN)) for name, severity in old.panels)
    return replace(snapshot, assessment=Assessment(Severity.UNKNOWN, (finding, *known), panels))


def is_blind(snapshot: Snapshot) -> bool:
    """Whether the cockpit had stopped watching when this was shown."""
    return any(one.rule == RULE for one in snapshot.assessment.findings[:1])
