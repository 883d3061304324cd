"""Findings that no key ends say what a person does, and none leads to a step that would do harm."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from msgspec import structs

from actions.runbook import runbook_for
from cockpit.config import VenuePart
from cockpit.headless.status_text import as_text
from cockpit.model.alerting import Alerting
from cockpit.model.finding import Finding
from cockpit.model.sample import Sample
from cockpit.model.severity import Severity
from cockpit.model.snapshot import Snapshot
from cockpit.severity.judge import assess
from cockpit.severity.sections import from_actions
from cockpit.severity.standing import NOTHING, Memory
from tests.unit.healthy import (
    NOW,
    SETTINGS,
    dead,
    flow,
    group,
    heartbeats,
    redis,
    snapshot,
    stream,
    venue,
    venues,
)
from widgets.line import plain
from widgets.panels.findings import short_advice, told
from widgets.topline import worst_finding
from widgets.view import View

SECTIONS = from_actions(runbook_for(SETTINGS).actions)


def found(settings: Any = SETTINGS, **changed: Any) -> tuple[Finding, ...]:
    return assess(snapshot(**changed), settings, sections=SECTIONS)[0].findings


def test_a_broker_that_is_up_again_gets_its_orders_back() -> None:
    rerouted = venues(venue("IBKR", override="zerodha"))
    memory: Memory = NOTHING
    seen: list[tuple[Finding, ...]] = []
    for passed_s in (0.0, 59.0, 60.0):
        now: Snapshot = replace(snapshot(), venues=Sample.good(rerouted, NOW + passed_s, 0.1), taken_at=NOW + passed_s)
        now = replace(now, **{name: replace(getattr(now, name), value_at=NOW + passed_s) for name in ("flow", "reach")})
        assessment, memory = assess(now, SETTINGS, memory, SECTIONS)
        seen.append(tuple(one for one in assessment.findings if one.rule == "reroute_left"))
    assert seen[:2] == [(), ()]
    (left,) = seen[2]
    assert (left.summary, left.severity) == ("IBKR is up, its orders still go to zerodha", Severity.P3)
    assert (left.keys, left.since) == ("Space b o", NOW)
    assert plain(short_advice(left)).rstrip() == "› Space b o"


def test_a_broker_that_is_down_or_trades_for_itself_is_not_called_up_again() -> None:
    for one in (venue("IBKR", "down", override="zerodha"), venue("IBKR", override="ibkr")):
        _, memory = assess(snapshot(venues=venues(one)), SETTINGS)
        assert ("reroute_left", "IBKR") not in memory.standing


def by_hand(rule: str, **changed: Any) -> Finding:
    return next(one for one in found(**changed) if one.rule == rule)


def test_what_no_step_ends_is_said_with_what_a_person_does() -> None:
    behind = flow(incoming=stream("orders.incoming", "incoming", group("risk", lag=900)))
    assert by_hand("group_behind", flow=behind).by_hand == "no step restarts risk: restart its process where it runs"
    assert "with router" in by_hand("worker_silent", heartbeats=heartbeats(router=9.0)).by_hand
    full = by_hand("redis_memory", redis=redis(used_bytes=255, limit_bytes=256))
    assert "maxmemory" in full.by_hand and "restart neither" in full.by_hand
    grafana = by_hand("backend_silent", alerts=dead())
    assert (grafana.keys, grafana.by_hand) == (None, "no step restarts Grafana: do it where it runs")
    engine = by_hand("backend_silent", docker=dead())
    assert (engine.section, engine.by_hand) == (None, "no step restarts Docker: do it on its host")


def test_every_face_says_it() -> None:
    ill = snapshot(alerts=dead())
    ill = replace(ill, assessment=assess(ill, SETTINGS, sections=SECTIONS)[0])
    (grafana,) = ill.assessment.findings
    words = " ".join(plain(row).strip() for row in told(grafana, NOW, 38))
    assert grafana.by_hand in words
    assert plain(worst_finding(View(ill, NOW, SETTINGS))).endswith("› by hand")
    assert grafana.by_hand in as_text(ill, SETTINGS)


def test_what_a_broker_that_is_down_rejects_does_not_lead_to_flattening() -> None:
    rejected = flow(rejected=stream("orders.rejected", "rejected", depth=100, rate=30.0))
    alerting = Alerting(is_present=True, thresholds=(("reject_fraction", 0.2),))
    for status, section in (("down", "3.1"), ("up", "3.5")):
        memory: Memory = NOTHING
        for passed_s in (0.0, 0.1, 0.2):
            now = snapshot(flow=rejected, alerting=alerting, venues=venues(venue("IBKR", status)))
            now = replace(now, flow=replace(now.flow, value_at=(now.flow.value_at or 0.0) + passed_s))
            assessment, memory = assess(now, SETTINGS, memory, SECTIONS)
        assert [one.section for one in assessment.findings if one.rule == "rejects_many"] == [section]


def test_a_nightly_reset_by_day_is_said_to_be_none() -> None:
    part = VenuePart(name="IBKR", probe="tws://127.0.0.1:4002", reset_utc="23:45-00:45")
    settings = structs.replace(SETTINGS, venues=(part,))
    reset = venue("IBKR", "down", code="1100", message="nightly reset, 23:45-00:45 ET")
    down = next(one for one in found(settings, venues=venues(reset)) if one.rule == "venue_down")
    assert down.summary.endswith("23:45-00:45 ET (it is NOT the hour)")
