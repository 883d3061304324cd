"""A part of the cockpit itself that fails is a finding: the wall is right, but something is not done that should be."""

from __future__ import annotations

from collections.abc import Mapping

from cockpit.model.finding import Finding, Since
from cockpit.model.severity import Severity
from cockpit.severity.standing import SUMMARY_CELLS
from cockpit.text import clean

RULE = "cockpit_failing"


def failing(failures: Mapping[str, str], now: float) -> tuple[Finding, ...]:
    """One for each part, by its name for people; none where all is well."""
    return tuple(
        Finding(
            rule=RULE,
            subject=name,
            severity=Severity.P3,
            panel="findings",
            summary=clean(f"the cockpit's {name} fails: {why}", SUMMARY_CELLS),
            observed=clean(why),
            threshold="no error",
            since=now,
            since_is=Since.OR_EARLIER,
        )
        for name, why in failures.items()
    )
