"""The judgement on a snapshot: every rule, every silent backend, every panel."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

from cockpit.alerting.force import in_force
from cockpit.config import Settings
from cockpit.model.alerting import Alerting
from cockpit.model.finding import Assessment, Finding, Since
from cockpit.model.sample import Sample
from cockpit.model.severity import Severity
from cockpit.model.snapshot import Snapshot
from cockpit.severity import (
    rules_alerts,
    rules_brokers,
    rules_feeds,
    rules_halt,
    rules_kubernetes,
    rules_postgres,
    rules_redis,
    rules_risk,
    rules_trading,
)
from cockpit.severity.changed import changed
from cockpit.severity.follows import grouped
from cockpit.severity.rule import Hit, Rule, View
from cockpit.severity.sections import Sections, answering, back, keys, release, title
from cockpit.severity.silence import (
    BESIDE,
    PANELS,
    SILENT,
    UNREAD,
    UNUSABLE,
    configured,
    is_complete,
    silent,
    stopped_at,
)
from cockpit.severity.standing import NOTHING, Memory, Raised, fold, shown
from cockpit.severity.unhaltable import unhaltable
from cockpit.severity.waiting import waiting

RULES: tuple[Rule, ...] = (
    *rules_halt.RULES,
    *rules_trading.RULES,
    *rules_brokers.RULES,
    *rules_feeds.RULES,
    *rules_redis.RULES,
    *rules_postgres.RULES,
    *rules_kubernetes.RULES,
    *rules_risk.RULES,
    *rules_alerts.RULES,
)
NO_ALERTING = Alerting()
NO_SECTIONS: Sections = MappingProxyType({})


def assess(
    snapshot: Snapshot,
    settings: Settings,
    memory: Memory = NOTHING,
    sections: Sections = NO_SECTIONS,
    notices: tuple[Finding, ...] = (),
) -> tuple[Assessment, Memory]:
    """The findings on this snapshot, and what to remember for the next one; `notices` are findings of others."""
    now = snapshot.taken_at
    alerting = snapshot.alerting.value or NO_ALERTING
    settings = in_force(settings, alerting)
    there = configured(settings)
    view = View(snapshot, settings, memory.standing)
    raised = [Raised(one, since=stopped_at(snapshot, settings, one)) for one in silent(snapshot, settings)]
    raised.extend(waiting(snapshot))
    raised.extend(Raised(one, since=one.since) for one in changed(snapshot))
    raised.extend(Raised(finding) for finding in (*unhaltable(settings, now), *notices))
    held, judged = set[str](), {SILENT, UNREAD, UNUSABLE} if is_complete(snapshot, there) else set[str]()
    live = frozenset(field for field in there if _is_live(snapshot, field))
    for rule in RULES:
        if rule.reads not in there or rule.name in alerting.off:
            continue
        if rule.reads in live:
            sample: Sample[Any] = getattr(snapshot, rule.reads)
            _apply(rule, view, sample, raised, held, rule.name in memory.judged)
            judged.add(rule.name)
        else:
            held.add(rule.name)
    raised = [_routed(one, sections) for one in raised]
    memory = fold(memory, raised, held, now, settings.thresholds.clear_after_s, frozenset(judged - held))
    return _assessment(live, grouped(shown(memory)), there), memory


def _apply(rule: Rule, view: View, sample: Sample[Any], raised: list[Raised], held: set[str], is_watched: bool) -> None:
    """Add what one rule says; a rule that fails is a finding too, beside what it had found by then, and before."""
    try:
        for hit in rule.check(view, sample.value):
            found = _raised(_finding(rule, hit, view.now, is_watched), view)
            raised.append(Raised(found, rule.readings, sample.value_at, hit.since, hit.kept, hit.after_s))
    except Exception as error:
        held.add(rule.name)
        reason = f"cannot judge {rule.name}: {type(error).__name__}: {error}"
        failure = Hit(f"rule {rule.name}", Severity.P3, reason, "failed", "judged")
        raised.append(Raised(_finding(rule, failure, view.now, is_watched)))


def _finding(rule: Rule, hit: Hit, now: float, is_watched: bool) -> Finding:
    return Finding(
        rule=rule.name,
        subject=hit.subject,
        severity=hit.severity,
        panel=hit.panel or rule.panel,
        summary=hit.summary,
        observed=hit.observed,
        threshold=hit.threshold,
        since=now,
        section=hit.section or rule.section,
        is_expected=hit.is_expected,
        by_hand=hit.by_hand,
        since_is=Since.EXACT if is_watched else Since.OR_EARLIER,
    )


def _raised(finding: Finding, view: View) -> Finding:
    """What alerts.yaml calls critical is at least of that class; what it calls less stays what the runbook says."""
    alerting = view.snapshot.alerting.value
    if alerting is None or finding.rule not in alerting.raised or finding.is_expected:
        return finding
    return replace(finding, severity=min(finding.severity, view.settings.alerting.severity("critical")))


def _routed(one: Raised, sections: Sections) -> Raised:
    """The same with the title of its runbook section, and the keys that lead there where there are steps."""
    number = answering(one.finding, sections)
    routed = replace(one.finding, section=number, section_title=title(number, sections), keys=keys(number, sections))
    if routed.rule == rules_brokers.reroute_left.name:
        routed = replace(routed, keys=back(sections) or routed.keys)
    if routed.rule == rules_halt.kill_switch_engaged.name:
        routed = replace(routed, release=release(sections))
    return replace(one, finding=routed)


def _assessment(live: frozenset[str], findings: tuple[Finding, ...], there: frozenset[str]) -> Assessment:
    panels = {name: _panel(live, name, there, findings) for name in PANELS}
    judged = [panels[name] for name, fields in PANELS.items() if not there.isdisjoint(fields)]
    worst = min((*(finding.severity for finding in findings), *judged), default=Severity.UNKNOWN)
    return Assessment(worst, findings, tuple(panels.items()))


def _panel(live: frozenset[str], name: str, there: frozenset[str], findings: tuple[Finding, ...]) -> Severity:
    here = (one.severity for one in findings if name in (one.panel, BESIDE.get(one.rule)))
    worst = min(here, default=Severity.OK)
    needed = there.intersection(PANELS[name])
    return worst if needed and needed <= live else min(worst, Severity.UNKNOWN)


def _is_live(snapshot: Snapshot, field: str) -> bool:
    sample: Sample[Any] = getattr(snapshot, field)
    return sample.is_live(snapshot.taken_at)
