"""A cockpit without a Redis cannot reach the kill switch: found before it is needed, not while."""

from __future__ import annotations

from collections.abc import Mapping

from cockpit.config import Settings
from cockpit.model.finding import Finding, Since
from cockpit.model.severity import Severity
from cockpit.model.world import World

RULE = "redis_unconfigured"
SEVERITIES: Mapping[World, Severity] = {World.LIVE: Severity.P1, World.PAPER: Severity.P2}


def unhaltable(settings: Settings, now: float) -> tuple[Finding, ...]:
    """The finding; none where a Redis is configured, and never in the sandbox, where nothing can be lost.

    P1 on LIVE: real money trades and what stops it in a second is out of reach, as with a Redis that is down, which is
    P1 too; nothing else would tell before somebody wants to halt. P2 on PAPER: the same gap, but no money.
    """
    severity = SEVERITIES.get(settings.world)
    if settings.redis is not None or severity is None:
        return ()
    return (
        Finding(
            rule=RULE,
            subject="redis",
            severity=severity,
            panel="redis",
            summary="no Redis is configured: nobody can set the kill switch from here",
            observed="not configured",
            threshold="configured",
            since=now,
            since_is=Since.OR_EARLIER,
        ),
    )
