"""Section 1 and section 4 of the runbook, line by line: what produces each, and at which severity it is seen."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Any, NamedTuple

import pytest
from msgspec import structs

from benchmarks.expectations import EXPECTED
from cockpit.config import Settings
from cockpit.model.backends import AlertRule
from cockpit.model.severity import Severity
from cockpit.model.states import KillSwitch
from cockpit.sandbox.faults import FAULTS
from cockpit.severity.judge import assess
from cockpit.severity.standing import NOTHING
from tests.unit.healthy import (
    NOW,
    SETTINGS,
    alerts,
    dead,
    deployment,
    feed,
    feeds,
    heartbeats,
    kubernetes,
    pod,
    reach,
    redis,
    risk,
    snapshot,
    venue,
    venues,
)

P1, P2, P3, P4 = Severity.P1, Severity.P2, Severity.P3, Severity.P4
REDIS = ("kill_switch", "venues", "flow", "feeds", "risk", "redis", "heartbeats")
HALTED = KillSwitch(True, True, "test", "asha", NOW - 60)
CRASHED = pod("b", is_ready=False, reason="CrashLoopBackOff", restarts=4)


RESETTING = structs.replace(
    SETTINGS, venues=(structs.replace(SETTINGS.venues[0], reset_utc="08:00-09:00"), *SETTINGS.venues[1:])
)


class Line(NamedTuple):
    text: str
    changed: dict[str, Any]
    severity: Severity
    words: str
    faults: tuple[str, ...]
    """Of the sandbox; the kill switch is not broken but engaged, which tests of its own do."""
    settings: Settings = SETTINGS


LINES = [
    Line("P1 trading halted", {"kill_switch": HALTED}, P1, "trading HALTED", ("drawdown", "var-breach")),
    Line("P1 trading halted: nothing carries orders", {"kubernetes": kubernetes(deployment("router", 0, 0))},
         P1, "orders go nowhere", ()),
    Line("P1 broker disconnected", {"venues": venues(venue("IBKR", "down"))}, P1, "IBKR down",
         ("broker-down", "ibkr-reset", "ibkr-blackhole", "zerodha-blackhole")),
    Line("P1 broker disconnected, seen from here", {"reach": reach(IBKR=False)}, P1, "IBKR unreachable",
         ("broker-down", "ibkr-blackhole", "zerodha-blackhole")),
    Line("P1 Redis down", dict.fromkeys(REDIS, dead()), P1, "Redis does not answer",
         ("redis-killed", "redis-lost", "redis-blackhole")),
    Line("P1 Redis down: takes no writes", {"redis": redis(refuses_writes=True)}, P1, "Redis refuses writes",
         ("redis-misconf", "redis-memory-full")),
    Line("P1 DB down", {"postgres": dead()}, P1, "Postgres does not answer", ("postgres-killed", "postgres-blackhole")),
    Line("P1 kill switch engaged", {"kill_switch": HALTED}, P1, "trading HALTED by asha", ("drawdown",)),
    Line("P2 data feed degraded", {"feeds": feeds(feed("yahoo", newest_age_s=3.0))}, P2, "yahoo stalled",
         ("feed-stalled", "feed-gappy", "gateway-crashloop")),
    Line("P2 latency > 100 ms", {"feeds": feeds(feed("yahoo", lag_p95_ms=101.0))}, P2, "101 ms > 100 ms",
         ("feed-late", "redis-slow")),
    Line("P2 partial broker disconnect", {"venues": venues(venue("IBKR", "degraded"))}, P2, "IBKR degraded",
         ("broker-partial", "zerodha-token", "broker-slow")),
    Line("P3 dashboards unavailable", {"alerts": dead()}, P3, "Grafana does not answer",
         ("grafana-down", "grafana-blackhole", "grafana-nodata")),
    Line("P3 minor worker crash", {"kubernetes": kubernetes(deployment("ws-gateway", 1, 2, pod("a"), CRASHED))},
         P3, "1 pod CrashLoopBackOff", ("gateway-pod-crash", "gateway-bad-rollout")),
    Line("P3 minor worker crash, by its heartbeat", {"heartbeats": heartbeats(candles=9.0)}, P3, "candles: no heartb",
         ("lag-candles",)),
    Line("P4 non-trading component down", {"kubernetes": kubernetes(deployment("api", 0, 2))}, P4, "api 0 of 2",
         ("api-crashloop",)),
    Line("P4 cosmetic: an informative alert", {"alerts": alerts(AlertRule("Theme", "firing", "info", 1.0, None))},
         P4, "alert firing: Theme", ()),
    Line("P4 expected: a broker's nightly reset", {"venues": venues(venue("IBKR", "down"))},
         P4, "nightly reset (expected)", (), RESETTING),
    Line("alert: latency > 100 ms", {"feeds": feeds(feed("yahoo", lag_p95_ms=140.0))}, P2, "> 100 ms", ("feed-late",)),
    Line("alert: Redis memory > 80 %", {"redis": redis(used_bytes=206 * 2**20)}, P2, "Redis memory 80 %",
         ("redis-memory-85",)),
    Line("alert: VaR > limit", {"risk": risk(var_99=2.1e6)}, P1, "VaR 99", ("var-breach",)),
    Line("alert: ES > limit", {"risk": risk(es_975=2.7e6)}, P1, "ES 97.5", ("var-breach",)),
    Line("alert of Grafana", {"alerts": alerts(AlertRule("Latency > 100 ms", "firing", "critical", 1.0, None))},
         P2, "alert firing: Latency", ()),
]  # fmt: skip


def findings(changed: dict[str, Any], settings: Settings) -> list[tuple[Severity, str]]:
    memory = NOTHING
    for at in (NOW - 2, NOW - 1, NOW):
        assessment, memory = assess(snapshot(at, **changed), settings, memory)
    return [(one.severity, one.summary) for one in assessment.findings]


@pytest.mark.parametrize("line", LINES, ids=[line.text for line in LINES])
def test_the_line_is_seen_at_its_severity(line: Line) -> None:
    found = findings(line.changed, line.settings)
    assert any(severity is line.severity and line.words in summary for severity, summary in found), found
    assert min(severity for severity, _ in found) is line.severity


@pytest.mark.parametrize("line", [line for line in LINES if line.faults], ids=lambda line: line.text)
def test_the_sandbox_can_produce_it(line: Line) -> None:
    """And tests on the sandbox see each of these faults come and go."""
    assert set(line.faults) <= set(FAULTS)
    seen = {one.fault: one.severity for one in EXPECTED}
    assert all(seen[fault] <= line.severity or line.severity is P4 for fault in line.faults[:1])


def test_grafana_labels_are_mapped_as_configured() -> None:
    alerting = structs.replace(SETTINGS.alerting, severities={"page": "P1", "ticket": "P4"})
    settings = structs.replace(SETTINGS, alerting=alerting)
    rules = [AlertRule("A", "firing", "Page", 1.0, None), AlertRule("B", "firing", "ticket", 1.0, None),
             AlertRule("C", "firing", "warn", 1.0, None)]  # fmt: skip
    assessment, _ = assess(snapshot(alerts=alerts(*rules)), settings)
    # What the mapping does not know is P2: unsure goes up.
    assert {one.subject: one.severity for one in assessment.findings} == {"A": P1, "B": P4, "C": P2}


NYSE_OPEN, NYSE_CLOSED = 1_800_027_000.0, 1_800_000_000.0
"""A Friday at 10:30 and at 03:00 in New York."""


@pytest.mark.parametrize(
    ("now", "exchanges", "holidays", "severity", "words"),
    [
        (NYSE_CLOSED, {}, {}, P2, "yahoo stalled"),
        (NYSE_CLOSED, {"yahoo": "NYSE"}, {}, P4, "yahoo silent: NYSE is closed (expected)"),
        (NYSE_OPEN, {"yahoo": "NYSE"}, {}, P2, "yahoo stalled"),
        (NYSE_OPEN, {"yahoo": "NYSE"}, {"NYSE": ["2027-01-15"]}, P4, "yahoo silent: NYSE is closed (expected)"),
    ],
    ids=["nobody says which", "closed", "open", "holiday"],
)
def test_a_closed_exchange_is_silent(
    now: float, exchanges: dict[str, str], holidays: dict[str, Any], severity: Severity, words: str
) -> None:
    days = {name: tuple(map(date.fromisoformat, dates)) for name, dates in holidays.items()}
    settings = structs.replace(SETTINGS, feeds=structs.replace(SETTINGS.feeds, exchanges=exchanges), holidays=days)
    silent = feeds(feed("yahoo", newest_age_s=3.0), candle_age_s=60.0)
    found = assess(snapshot(now, feeds=silent), settings)[0].findings
    assert (found[0].severity, found[0].is_expected) == (severity, severity is P4)
    assert words in found[0].summary
    assert any("no new candle" in one.summary for one in found) is (severity is P2)


def test_a_finding_does_not_flap() -> None:
    memory = NOTHING
    seen: list[bool] = []
    for tick in range(20):
        late = feeds(feed("yahoo", lag_p95_ms=140.0 if tick % 2 else 90.0))
        assessment, memory = assess(snapshot(NOW + tick * 0.5, feeds=late if tick else feeds()), SETTINGS, memory)
        seen.append(bool(assessment.findings))
    assert len([1 for before, after in pairwise(seen) if before != after]) <= 1
