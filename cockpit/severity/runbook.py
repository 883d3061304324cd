"""A fund's own runbook that cannot be used is a finding: the built-in one stays, and somebody must know."""

from __future__ import annotations

from cockpit.model.finding import Finding, Since
from cockpit.model.severity import Severity

RULE = "runbook_unusable"


def unusable(problem: str, now: float) -> tuple[Finding, ...]:
    """The finding; none where the file is used, or where there is none."""
    if not problem:
        return ()
    return (
        Finding(
            rule=RULE,
            subject="runbook",
            severity=Severity.P3,
            panel="findings",
            summary="own runbook not used: cockpit runbook --check",
            observed=problem,
            threshold="a right file",
            since=now,
            since_is=Since.OR_EARLIER,
        ),
    )
