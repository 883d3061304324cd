"""Hand-made moments of a platform: healthy, and in each kind of trouble."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from cockpit.model.backends import (
    AlertRule,
    Alerts,
    Blocker,
    Container,
    Deployment,
    Docker,
    Dump,
    Kubernetes,
    Pod,
    PostgresServer,
    RedisServer,
)
from cockpit.model.finding import Assessment, Finding
from cockpit.model.job import Job, JobStep, Phase, StepState
from cockpit.model.sample import Sample
from cockpit.model.severity import Severity
from cockpit.model.snapshot import PROBES, Snapshot
from cockpit.model.states import (
    Feed,
    Feeds,
    Group,
    Heartbeat,
    KillSwitch,
    Limits,
    OrderFlow,
    Position,
    Reach,
    Registry,
    Risk,
    Stream,
    Venue,
)
from cockpit.model.world import World

NOW = 1_781_984_652.0
NOW_MS = int(NOW * 1000)
"""2026-06-20 19:44:12 UTC, a Saturday."""

PANELS = ("brokers", "flow", "feeds", "redis", "risk", "postgres", "kubernetes", "alerts")


def good(value: Any, age_s: float = 0.4, took_s: float = 0.002) -> Sample[Any]:
    return Sample.good(value, NOW - age_s, took_s)


def group(name: str, lag: int | None = 0, pending: int = 0) -> Group:
    return Group(name, lag, False, pending, 0.1 if pending else None, 1, False)


def stream(label: str, rate: float, age: float = 0.0, *groups: Group, depth: int = 1000) -> Stream:
    return Stream(f"orders.{label}", label, depth, rate, NOW_MS - int(age * 1000), groups)


def ticks(name: str, rate: float, age: float) -> Stream:
    return Stream(f"ticks.{name}", name, 5000, rate, NOW_MS - int(age * 1000), (group("candles"),))


def wave(base: float, swing: float, seed: float, n: int = 160) -> tuple[float | None, ...]:
    return tuple(base + swing * (math.sin(i / 7 + seed) * 0.6 + math.sin(i / 2.3 + seed * 3) * 0.4) for i in range(n))


def trends() -> dict[str, tuple[float | None, ...]]:
    return {
        "fills_per_s": wave(48, 6, 1),
        "validated_per_s": wave(49, 6, 1.2),
        "incoming_per_s": wave(51, 6, 1.3),
        "rejected_per_s": wave(2, 1, 2),
        "in_flight": wave(3, 2, 3),
        "feed_lag_ms:yahoo": wave(28, 6, 1),
        "feed_lag_ms:moneycontrol": wave(19, 4, 2),
        "feed_rate:yahoo": wave(101, 4, 1),
        "feed_rate:moneycontrol": wave(99, 4, 2),
        "redis_used_bytes": tuple(380e6 + i * 2e5 for i in range(160)),
        "redis_ops_per_s": wave(1200, 90, 1),
        "redis_round_trip_ms": wave(0.4, 0.1, 1),
        "risk_var_99": wave(1.2e6, 0.1e6, 1),
        "risk_es_975": wave(1.6e6, 0.1e6, 1),
        "risk_drawdown_pct": wave(0.008, 0.002, 1),
        "risk_gross_usd": wave(41e6, 1e6, 1),
        "risk_pnl_day": wave(180e3, 30e3, 1),
        "pg_commits_per_s": wave(52, 8, 2),
        "pg_connections": wave(18, 1, 1),
        "venue_latency_ms:IBKR": wave(12, 3, 1),
        "venue_latency_ms:Zerodha": wave(31, 4, 2),
        "alerts_firing": tuple(0.0 for _ in range(160)),
        "pods_ready": tuple(5.0 for _ in range(160)),
    }


SYMBOLS = ["AAPL", "MSFT", "NVDA", "AMZN", "GOOGL", "META", "TSLA", "RELIANCE", "INFY", "TCS", "HDFCBANK", "ICICIBANK"]


def risk(drawdown: float = 0.0081) -> Risk:
    positions = tuple(
        Position(s, 1200.0 - 310 * i, 182.4 + i, 184.1 + i * 0.7, (1200.0 - 310 * i) * (184.1 + i * 0.7))
        for i, s in enumerate(SYMBOLS)
    )
    limits = Limits(2_000_000, 2_600_000, 0.05, 60_000_000)
    return Risk(0.9, "main", 1.21e6, 1.63e6, drawdown, 41.2e6, 3.1e6, 184_210, limits, positions)


def redis(used: int = 412_000_000) -> RedisServer:
    return RedisServer(
        version="8.0.2", used_bytes=used, limit_bytes=1_024_000_000, policy="noeviction", evicted_total=0,
        evicted_per_s=0.0, fragmentation_bytes=21_000_000, is_aof_on=True, is_aof_ok=True, appendfsync="everysec",
        is_save_on=True, is_save_ok=True, last_save_age_s=31, unsaved_changes=1204, refuses_writes=False,
        is_loading=False, role="primary", replicas=1, primary_link=None, clients=14, blocked_clients=6, ops_per_s=1204,
        uptime_s=40_000, run_id="a" * 40, round_trip_ms=0.4,
    )  # fmt: skip


def postgres() -> PostgresServer:
    return PostgresServer(
        version="18.1", connections=18, max_connections=100, oldest_transaction_s=0.2, blocked=(),
        is_in_recovery=False, replicas=0, replay_lag_s=None, size_bytes=84_000_000, wal_bytes=1_000_000_000,
        wal_bytes_per_s=1_100_000, commits_per_s=52.0, rollbacks_per_s=0.0, missing_tables=(),
    )  # fmt: skip


def pods(name: str, n: int) -> tuple[Pod, ...]:
    return tuple(Pod(f"{name}-6c9f7d5b8-{chr(97 + i) * 5}", "Running", True, 0, None, 10_800.0) for i in range(n))


def kubernetes() -> Kubernetes:
    return Kubernetes(
        "v1.33.1",
        "trading",
        (
            Deployment("ws-gateway", 2, 2, 2, 2, "complete", None, 10_800.0, pods("ws-gateway", 2)),
            Deployment("router", 1, 1, 1, 1, "complete", None, None, pods("router", 1)),
            Deployment("api", 2, 2, 2, 2, "complete", None, None, pods("api", 2)),
        ),
    )


def alerts() -> Alerts:
    return Alerts(
        "Grafana",
        True,
        (
            AlertRule("Latency > 100 ms", "normal", "warning", None, None),
            AlertRule("Redis memory > 80 %", "normal", "warning", None, None),
            AlertRule("VaR/ES > limits", "normal", "critical", None, None),
        ),
    )


HEARTBEATS = tuple(
    Heartbeat(name, 0.3 + i / 10)
    for i, name in enumerate(["strategies", "risk", "router", "candles", "ledger", "postgres", "ws-gateway"])
)


def healthy() -> Snapshot:
    venues = (
        Venue("IBKR", "up", 0.4, None, None, 12, 3),
        Venue("Zerodha", "up", 0.4, None, None, 31, 0, token_left_s=29_520),
        Venue("Paper", "up", 0.4, None, None, 1, 0),
    )
    flow = OrderFlow(
        (
            stream("incoming", 51.2, 0.0, group("risk", 0)),
            stream("validated", 48.9, 0.0, group("router", 2, 1)),
            stream("rejected", 2.1, 0.4, depth=112),
            stream("fills", 48.7, 0.1, group("ledger", 0)),
        ),
        3,
        0.1,
        now_ms=NOW_MS,
    )
    feeds = Feeds(
        (
            Feed("yahoo", 28, 41, 101.0, 0.0, 2, 4000.0, ticks("yahoo", 101, 0.0)),
            Feed("moneycontrol", 18, 29, 99.0, 0.0, 0, None, ticks("moneycontrol", 99, 0.0)),
        ),
        "yahoo",
        60.0,
        12.0,
        0,
    )
    return Snapshot(
        seq=7,
        taken_at=NOW - 0.1,
        world=World.SANDBOX,
        site="hf-1",
        are_jobs_read=True,
        kill_switch=good(KillSwitch(False, True, None, "asha@jump1", NOW - 2530), 0.3),
        venues=good(venues, 0.4),
        reach=good((Reach("IBKR", True, 3.1, "TWS 176"), Reach("Zerodha", True, 8.4, "HTTP 200")), 0.9),
        flow=good(flow, 0.3),
        feeds=good(feeds, 0.2),
        registry=good(Registry("yahoo", "moneycontrol", NOW - 90_000)),
        risk=good(risk(), 0.9),
        redis=good(redis(), 0.3),
        postgres=good(postgres(), 0.7),
        dump=good(Dump("backups/pg/latest.dump", 52, 1_700_000, True), 0.7),
        kubernetes=good(kubernetes(), 1.0),
        docker=good(Docker("28.0", (Container("redis", "running", "Up 11 hours", 40_000, None, 812),)), 1.0),
        alerts=good(alerts(), 1.0),
        heartbeats=good(HEARTBEATS, 0.3),
        trends=trends(),
        assessment=Assessment(Severity.OK, (), tuple((panel, Severity.OK) for panel in PANELS)),
    )


def judged(snapshot: Snapshot, *findings: Finding) -> Snapshot:
    worst = dict(snapshot.assessment.panels)
    for finding in findings:
        worst[finding.panel] = min(worst.get(finding.panel, Severity.OK), finding.severity)
    severity = min((f.severity for f in findings), default=Severity.OK)
    ordered = tuple(sorted(findings, key=lambda finding: finding.severity))
    return replace(snapshot, assessment=Assessment(severity, ordered, tuple(worst.items())))


def finding(severity: Severity, panel: str, summary: str, section: str | None = None, **more: Any) -> Finding:
    titles = {"3.1": "Broker outage", "3.2": "Data feed failure", "3.3": "Redis crash", "3.4": "Postgres crash"}
    values: dict[str, Any] = {
        "rule": "rule",
        "subject": "subject",
        "observed": "",
        "threshold": "",
        "since": NOW - 40,
        "keys": None,
        "section": section,
        "section_title": titles.get(section or ""),
    }
    return Finding(severity=severity, panel=panel, summary=summary, **{**values, **more})


def feed_late() -> Snapshot:
    base = healthy()
    assert base.feeds.value is not None
    late = replace(base.feeds.value.feeds[0], lag_p50_ms=312, lag_p95_ms=341)
    rules = (AlertRule("Latency > 100 ms", "firing", "warning", 40.0, "yahoo p95 341 ms"), *alerts().rules[1:])
    lag = tuple(wave(28, 6, 1)[:130]) + tuple(330 + 8 * math.sin(i) for i in range(30))
    snapshot = replace(
        base,
        feeds=good(replace(base.feeds.value, feeds=(late, base.feeds.value.feeds[1]), candles_missing=1), 0.2),
        alerts=good(replace(alerts(), rules=rules), 1.0),
        trends={**base.trends, "feed_lag_ms:yahoo": lag},
    )
    return judged(
        snapshot,
        finding(Severity.P2, "feeds", "yahoo p95 341 ms > 100 ms", "3.2"),
        finding(Severity.P2, "alerts", "alert firing: Latency > 100 ms", "3.2", since=NOW - 12),
        finding(Severity.P3, "feeds", "1 candle missing at 19:43", "3.2", since=NOW - 20),
    )


def broker_down() -> Snapshot:
    base = healthy()
    assert base.venues.value is not None
    ibkr = replace(
        base.venues.value[0],
        status="down",
        code="1100",
        message="Connectivity lost",
        latency_ms=None,
        open_orders=None,
        open_orders_last_told=0,
    )
    snapshot = replace(
        base,
        venues=good((ibkr, *base.venues.value[1:])),
        reach=good((Reach("IBKR", False, 2000, "refused"), Reach("Zerodha", True, 8.4, "HTTP 200")), 0.9),
        kill_switch=good(KillSwitch(True, True, "IBKR is down", "asha@jump1", NOW - 95), 0.3),
        jobs=(engaged(),),
    )
    return judged(
        snapshot,
        finding(Severity.P1, "brokers", "IBKR down: 1100 Connectivity lost", "3.1", keys="Space b", since=NOW - 120),
        finding(Severity.P1, "flow", "kill switch engaged: IBKR is down", "3.1", keys="Space b", since=NOW - 95),
    )


def engaged(phase: Phase = Phase.DONE) -> Job:
    done, waiting = StepState.DONE, StepState.WAITING
    return Job(
        id="20260620-194237-kill-switch-3f2a",
        action="kill_switch.engage",
        title="Engage the kill switch",
        target="policy:kill_switch",
        world=World.SANDBOX,
        digest="3f2a" * 16,
        by="asha@jump1",
        phase=phase,
        submitted_at=NOW - 95,
        ended_at=NOW - 93 if phase.is_over else None,
        steps=(JobStep("set policy:kill_switch", done, "HSET answered 4", 0.012),),
        proofs=(
            JobStep("flag read back", done, "enabled=true", 0.02),
            JobStep("durable", done, "AOF fsynced", 0.9),
            JobStep("no new order validated", done if phase.is_over else waiting, "0 in 1.5 s", 1.5),
        ),
    )


def redis_down() -> Snapshot:
    base = healthy()
    names = ("kill_switch", "venues", "flow", "feeds", "risk", "redis", "heartbeats")
    failed = {
        name: replace(getattr(base, name), value_at=NOW - 14.2, tried_at=NOW - 0.4, error="refused: 127.0.0.1:16379")
        for name in names
    }
    dark = ("fills", "validated", "incoming", "rejected", "in_flight", "feed", "redis", "risk", "venue")
    lost = {
        name: (*points[:-14], *([None] * 14)) if name.startswith(dark) else points
        for name, points in base.trends.items()
    }
    snapshot = replace(base, **failed, trends=lost, docker=good(Docker("28.0", (
        Container("redis", "exited", "Exited (137) 14 seconds ago", None, 137, None),)), 0.6))  # fmt: skip
    unknown = dict.fromkeys(("brokers", "flow", "feeds", "risk"), Severity.UNKNOWN)
    snapshot = replace(
        snapshot,
        assessment=Assessment(Severity.OK, (), tuple({**dict(base.assessment.panels), **unknown}.items())),
    )
    return judged(snapshot, finding(
        Severity.P1, "redis", "Redis does not answer: refused", "3.3", since=NOW - 14, rule="backend_silent",
        subject="Redis"))  # fmt: skip


def black_holed() -> Snapshot:
    """Nothing ever answered."""
    dead: dict[str, Any] = {name: Sample(None, None, NOW - 0.5, 2.0, "no answer in time", 4.0) for name in PROBES}
    panels = tuple((panel, Severity.UNKNOWN) for panel in PANELS)
    return replace(healthy(), **dead, trends={}, assessment=Assessment(Severity.UNKNOWN, (), panels))


def blocked() -> Snapshot:
    base = healthy()
    assert base.postgres.value is not None
    blocker = Blocker(
        812, (640,), 31.0, "hedgefund_user", "UPDATE positions SET qty = $1 WHERE symbol = $2",
        "idle in transaction", "LOCK TABLE positions IN ACCESS EXCLUSIVE MODE",
    )  # fmt: skip
    snapshot = replace(base, postgres=good(replace(base.postgres.value, blocked=(blocker,)), 0.5))
    return judged(snapshot, finding(Severity.P2, "postgres", "1 session blocked for 31 s by 640", "3.4"))


NASTY = "[/]\x1b]2;owned\x07[@click=app.quit]x[/] \x1b[2J 中文字 ⚠️ \u202egnp.exe \x00\x9b31m"


def hostile() -> Snapshot:
    base = broker_down()
    assert base.venues.value is not None and base.kubernetes.value is not None
    venue = replace(base.venues.value[0], name=NASTY, status=NASTY, message=NASTY)
    deployment = replace(base.kubernetes.value.deployments[0], name=NASTY, message=NASTY, rollout=NASTY)
    rule = AlertRule(NASTY, "firing", NASTY, 3.0, NASTY)
    snapshot = replace(
        base,
        site=NASTY,
        venues=good((venue, *base.venues.value[1:])),
        kubernetes=good(replace(base.kubernetes.value, deployments=(deployment,))),
        alerts=good(Alerts(NASTY, False, (rule,))),
        kill_switch=good(KillSwitch(True, True, NASTY, NASTY, NOW - 4)),
    )
    return judged(snapshot, finding(Severity.P1, "brokers", NASTY, "3.1", keys=NASTY))


ALL = {
    "healthy": healthy,
    "feed_late": feed_late,
    "broker_down": broker_down,
    "redis_down": redis_down,
    "black_holed": black_holed,
    "blocked": blocked,
    "hostile": hostile,
}
