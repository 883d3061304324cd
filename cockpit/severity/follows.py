"""Findings that tell of a trouble once more, from another side: each stands under the one that leads, and is none more.

Only where both say the same of one thing: a P1 that may have a cause of its own, as a limit that is passed beside
another, stays one of its own. Nothing is hidden, and nothing is made less severe.
"""

from __future__ import annotations

from dataclasses import replace

from cockpit.model.finding import Finding
from cockpit.severity.silence import BACKENDS, SILENT
from cockpit.severity.standing import Key, is_last_known

CONTAINERS = {"redis_container": BACKENDS[0].name, "postgres_container": BACKENDS[1].name}
"""The server that each of these findings is about."""


def grouped(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The same in the same order, but what follows comes right after what it follows, and says so."""
    leads = {one.key: one for one in findings if not is_last_known(one)}
    following: dict[Key, list[Finding]] = {}
    own: list[Finding] = []
    for one in findings:
        lead = leads.get(_lead(one) or one.key)
        # A class of its own has a place of its own; what nobody can look at again follows nothing that is seen.
        if lead is None or lead is one or lead.severity is not one.severity or is_last_known(one):
            own.append(one)
        else:
            following.setdefault(lead.key, []).append(replace(one, follows=lead.key))
    return tuple(each for one in own for each in (one, *following.get(one.key, ())))


def _lead(finding: Finding) -> Key | None:
    """What would lead, were it there: a server that is silent, of its container; a broker that the router has lost."""
    if finding.rule in CONTAINERS:
        return SILENT, CONTAINERS[finding.rule]
    if finding.rule == "venue_unreachable":
        return "venue_down", finding.subject
    return None
