"""A configuration that was changed under a running cockpit: what it watches and would act on may be an old platform."""

from __future__ import annotations

from cockpit.model.finding import Finding
from cockpit.model.severity import Severity
from cockpit.model.snapshot import Snapshot
from cockpit.severity import words

RULE = "config_changed"


def changed(snapshot: Snapshot) -> tuple[Finding, ...]:
    """The finding; none where the file is as it was when it was read."""
    if snapshot.config_changed is None:
        return ()
    name, at = snapshot.config_changed
    return (
        Finding(
            rule=RULE,
            subject=name,
            severity=Severity.P3,
            panel="findings",
            summary=f"{name} has changed at {words.clock(at)}: the old one counts here",
            observed=f"changed at {words.clock(at)}",
            threshold="as it was read",
            since=at,
            by_hand="leave with q and open the cockpit again",
        ),
    )
