"""Every way in which the platform can be ill has its words, its severity, its panel and its runbook section."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from cockpit.headless.panel_words import PANEL_WORDS
from cockpit.model.alerting import FULL, Alerting, Audience
from cockpit.model.backends import AlertRule, Blocker, Container, Docker, Dump
from cockpit.model.finding import Finding
from cockpit.model.severity import Severity
from cockpit.model.states import KillSwitch, Limits, Position, Reach, Registry
from cockpit.sandbox.faults import FAULTS
from cockpit.severity import rules_trading
from cockpit.severity.judge import RULES, assess
from cockpit.severity.standing import NOTHING
from cockpit.severity.trading import halt_readiness
from tests.unit.healthy import (
    NOW,
    SETTINGS,
    alerts,
    databases,
    dead,
    deployment,
    docker,
    feed,
    feeds,
    flow,
    group,
    heartbeats,
    kubernetes,
    pod,
    postgres,
    reach,
    redis,
    risk,
    snapshot,
    stream,
    venue,
    venues,
)
from widgets.line import plain
from widgets.panels.redis import lines
from widgets.view import View

P1, P2, P3, P4 = Severity.P1, Severity.P2, Severity.P3, Severity.P4
OPS = Audience("ops", ("slack", "email"), (), FULL)


class Case(NamedTuple):
    name: str
    changed: dict[str, Any]
    severity: Severity
    panel: str
    words: str
    section: str | None


def waiting(seconds: float) -> tuple[Blocker, ...]:
    return (Blocker(20, (10,), seconds, "hedgefund_user", "UPDATE", "idle in transaction", "LOCK"),)


CASES = [
    Case("halted by the risk manager", {"kill_switch": KillSwitch(True, True, "drawdown", "risk-manager", NOW - 60)},
         P1, "risk", "trading HALTED by risk-manager: drawdown", "3.5"),
    Case("halted by a human", {"kill_switch": KillSwitch(True, True, None, "asha", NOW - 60)},
         P1, "risk", "trading HALTED by asha", "3.1"),
    Case("orders rejected", {"flow": flow(rejected=stream("orders.rejected", "rejected", depth=100, rate=30.0)),
         "alerting": Alerting(is_present=True, thresholds=(("reject_fraction", 0.2),))},
         P3, "flow", "rejected 38 % > 20 % of the orders", "3.5"),
    Case("broker down", {"venues": venues(venue("IBKR", "down", code="1100", message="connectivity lost"))},
         P1, "brokers", "IBKR down: 1100 connectivity lost", "3.1"),
    Case("broker down, rerouted", {"venues": venues(venue("IBKR", "down", override="zerodha"))},
         P1, "brokers", "IBKR down, orders go to zerodha", "3.1"),
    Case("own handshake fails", {"reach": reach(IBKR=False)}, P1, "brokers", "IBKR unreachable from here", "3.1"),
    Case("token refused from here", {"reach": (Reach("IBKR", True, 3.0, "handshake"), Reach("ZERODHA", True, 3.0,
         "API answers, but refuses the token", is_degraded=True))},
         P2, "brokers", "ZERODHA from here: API answers, but refuses the token", "3.1"),
    Case("token late", {"reach": (Reach("IBKR", True, 3.0, "handshake"), Reach("ZERODHA", True, 3.0, "API answers",
         lacks="no token from command pass"))}, Severity.UNKNOWN, "brokers",
         "ZERODHA: no token from command pass", None),
    Case("broker partly down", {"venues": venues(venue("IBKR", "degraded", message="orders rejected"))},
         P2, "brokers", "IBKR degraded: orders rejected", "3.1"),
    Case("broker says something unknown", {"venues": venues(venue("IBKR", "wobbly"))},
         P2, "brokers", "IBKR wobbly", "3.1"),
    Case("broker slow", {"venues": venues(venue("IBKR", latency_ms=900.0))},
         P2, "brokers", "IBKR slow: 900 ms > 250 ms", "3.1"),
    Case("broker status old", {"venues": venues(venue("IBKR", age_s=9.0))},
         P2, "brokers", "status is 9.0 s old", "3.1"),
    Case("broker status of no age", {"venues": venues(venue("IBKR", age_s=None))},
         P2, "brokers", "status is of unknown age", "3.1"),
    Case("broker not reported", {"venues": (venue("IBKR"), venue("PAPER"))},
         P2, "brokers", "ZERODHA: the router reports no status", "3.1"),
    Case("token dead", {"venues": venues(venue("ZERODHA", token_left_s=-5.0))},
         P2, "brokers", "ZERODHA token has expired", "3.1"),
    Case("token about to expire", {"venues": venues(venue("ZERODHA", token_left_s=600.0))},
         P2, "brokers", "ZERODHA token expires in 10 m", "3.1"),
    Case("broker down, and calls it a reset at any hour",
         {"venues": venues(venue("IBKR", "down", code="1100", message="lost (nightly reset, 23:45)"))},
         P1, "brokers", "IBKR down: 1100 lost (nightly reset", "3.1"),
    Case("feed late", {"feeds": feeds(feed("yahoo", lag_p95_ms=341.0))},
         P2, "feeds", "yahoo p95 341 ms > 100 ms", "3.2"),
    Case("backup feed late", {"feeds": feeds(feed("moneycontrol", lag_p95_ms=341.0))},
         P3, "feeds", "moneycontrol p95 341 ms > 100 ms", "3.2"),
    Case("feed late, primary unknown", {"feeds": feeds(feed("moneycontrol", lag_p95_ms=341.0), active=None),
         "registry": dead()}, P2, "feeds", "moneycontrol p95", "3.2"),
    Case("feed stalled", {"feeds": feeds(feed("yahoo", newest_age_s=2.5))},
         P2, "feeds", "yahoo stalled: no tick for 2.5 s", "3.2"),
    Case("feed never ticked", {"feeds": feeds(feed("yahoo", newest_age_s=None,
         stream=stream("ticks.yahoo", "yahoo", depth=0)))}, P2, "feeds", "yahoo stalled: no tick for ever", "3.2"),
    Case("feed ahead of the clock", {"feeds": feeds(feed("yahoo", newest_age_s=None))},
         P2, "feeds", "yahoo stalled: no tick for an unknown time (clock ahead)", "3.2"),
    Case("feed gappy", {"feeds": feeds(feed("yahoo", gaps=3, last_gap_age_s=1.0))},
         P2, "feeds", "yahoo gappy: 3 silences over 1.0 s", "3.2"),
    Case("feed not switched", {"registry": Registry("moneycontrol", "yahoo", NOW)},
         P2, "feeds", "registry says moneycontrol, ingestion runs on yahoo", "3.2"),
    Case("ticks lost", {"feeds": feeds(feed("yahoo", stream=stream("ticks.yahoo", "yahoo",
         group("candles", has_lost_entries=True))))}, P3, "feeds", "candles lost ticks of yahoo", "3.2"),
    Case("candles missing", {"feeds": feeds(candles_missing=1)}, P3, "feeds", "1 candle missing", "3.2"),
    Case("candles unknown", {"feeds": feeds(candles_missing=None)}, P3, "feeds", "the candle aggregator does", "3.2"),
    Case("candles late", {"feeds": feeds(candle_age_s=20.0)}, P3, "feeds", "no new candle for 20 s", "3.2"),
    Case("candles behind", {"feeds": feeds(feed("yahoo", stream=stream("ticks.yahoo",
         "yahoo", group("candles", lag=200),
         rate=100.0)))}, P3, "feeds", "candles is 200 (2.0 s) behind on ticks.yahoo", "3.2"),
    Case("risk group behind", {"flow": flow(incoming=stream("orders.incoming", "incoming", group("risk", lag=62)))},
         P2, "flow", "risk is 62 (1.2 s) behind on orders.incoming", "3.1"),
    Case("router pending", {"flow": flow(validated=stream("orders.validated", "validated",
         group("router", oldest_pending_s=8.0)))}, P2, "flow", "router: 3 pending on orders.validated, oldest 8.0 s",
         "3.1"),
    Case("ledger behind", {"flow": flow(fills=stream("orders.fills", "fills", group("ledger", lag=5000,
         is_lag_capped=True)))}, P2, "flow", "ledger is at least 5,000", "3.1"),
    Case("entries lost", {"flow": flow(fills=stream("orders.fills", "fills", group("ledger", has_lost_entries=True)))},
         P2, "flow", "ledger lost entries of orders.fills", "3.3"),
    Case("stream gone", {"flow": flow(fills=stream("orders.fills", "fills", depth=None))},
         P2, "flow", "stream orders.fills does not exist", "3.3"),
    Case("stream gone, server unknown", {"flow": flow(fills=stream("orders.fills", "fills", depth=None)),
         "redis": dead()}, P2, "flow", "stream orders.fills does not exist", "3.3"),
    Case("stream denied", {"flow": flow(fills=stream("orders.fills", "fills", depth=None, fault="denied"))},
         P2, "flow", "orders.fills unreadable: denied", "3.3"),
    Case("rejections denied", {"flow": flow(rejected=stream("orders.rejected", "rejected", depth=None,
         fault="denied"))}, P3, "flow", "orders.rejected unreadable: denied", "3.3"),
    Case("feed denied", {"feeds": feeds(feed("yahoo", newest_age_s=None, lag_p95_ms=None,
         stream=stream("ticks.yahoo", "yahoo", depth=None, fault="denied")))},
         P2, "feeds", "yahoo: ticks.yahoo unreadable: denied", "3.2"),
    Case("router group gone", {"flow": flow(validated=stream("orders.validated", "validated"))},
         P2, "flow", "router: its consumer group is on no order stream", "3.3"),
    Case("router lag unknown", {"flow": flow(validated=stream("orders.validated", "validated",
         group("router", lag=None)))}, P2, "flow", "router: how far behind on orders.validated is unknown", "3.3"),
    Case("router heartbeat gone", {"heartbeats": tuple(one for one in heartbeats() if one.component != "router")},
         P2, "flow", "router: there is no heartbeat of it", "3.1"),
    Case("router silent", {"heartbeats": heartbeats(router=9.0)}, P2, "flow", "router: no heartbeat for 9.0 s", "3.1"),
    Case("candles silent", {"heartbeats": heartbeats(candles=9.0)}, P3, "feeds", "candles: no heartbeat", "3.2"),
    Case("heartbeat garbled", {"heartbeats": heartbeats(pgwriter=None)},
         P3, "postgres", "pgwriter: no heartbeat", "3.4"),
    Case("api silent", {"heartbeats": heartbeats(api=9.0)}, P4, "flow", "api: no heartbeat", "3.1"),
    Case("memory at 85 %", {"redis": redis(used_bytes=218 * 2**20)}, P2, "redis", "Redis memory 85 % > 80 %", "3.3"),
    Case("memory full", {"redis": redis(used_bytes=255 * 2**20)},
         P1, "redis", "Redis memory full: 100 % of its limit, writes are refused", "3.3"),
    Case("MISCONF", {"redis": redis(refuses_writes=True, is_save_ok=False)},
         P1, "redis", "Redis refuses writes: MISCONF", "3.3"),
    Case("perhaps MISCONF", {"redis": redis(refuses_writes=None, is_save_ok=False)},
         P1, "redis", "may refuse writes", "3.3"),
    Case("writes unknown", {"redis": redis(refuses_writes=None, is_save_ok=None)},
         P2, "redis", "Redis does not say whether it takes writes", "3.3"),
    Case("save failed", {"redis": redis(is_save_ok=False)}, P2, "redis", "Redis failed to save to disk", "3.3"),
    Case("AOF failed", {"redis": redis(is_aof_ok=False)}, P1, "redis", "cannot append to its AOF", "3.3"),
    Case("replica", {"redis": redis(role="replica")}, P1, "redis", "Redis is a replica: it refuses writes", "3.3"),
    Case("loading", {"redis": redis(is_loading=True)}, P1, "redis", "Redis is loading its data", "3.3"),
    Case("Redis slow", {"redis": redis(round_trip_ms=310.0)}, P2, "redis", "round trip 310 ms > 100 ms", "3.3"),
    Case("evicting", {"redis": redis(evicted_per_s=12.0, policy="allkeys-lru")},
         P2, "redis", "Redis evicts 12 keys/s (allkeys-lru)", "3.3"),
    Case("container exited", {"docker": docker(redis="exited")}, P1, "redis", "container redis: exited", "3.3"),
    Case("other container", {"docker": Docker("27", (Container("loki", "exited", "", None, 9.0, 1),))},
         P3, "kubernetes", "container loki: exited", None),
    Case("Postgres' container", {"docker": docker(postgres="exited")},
         P1, "postgres", "container postgres: exited", "3.4"),
    Case("table lost", {"postgres": postgres(missing_tables=("fills",))},
         P1, "postgres", "Postgres lacks table fills", "3.4"),
    Case("in recovery", {"postgres": postgres(is_in_recovery=True)}, P1, "postgres", "in recovery", "3.4"),
    Case("blocked", {"postgres": postgres(blocked=waiting(4.0))},
         P3, "postgres", "1 blocked by pid 10 for 4.0 s", "3.4"),
    Case("blocked for long", {"postgres": postgres(blocked=waiting(14.0))}, P2, "postgres", "blocked by pid 10", "3.4"),
    Case("connections", {"postgres": postgres(connections=95)}, P2, "postgres", "connections 95 of 100", "3.4"),
    Case("database gone", {"databases": databases(found=())}, P1, "postgres", "there is no database hedgefund", "3.4"),
    Case("database shut", {"databases": databases(found=(replace(databases().found[0], takes_connections=False),))},
         P1, "postgres", "database hedgefund takes no connections", "3.4"),
    Case("dump old", {"dump": Dump("d", 400.0, 1, True)}, P3, "postgres", "newest dump is 6 m old > 5 m", "3.4"),
    Case("dump unreadable", {"dump": Dump("d", 4.0, 1, False)}, P3, "postgres", "does not parse", "3.4"),
    Case("router has no pod", {"kubernetes": kubernetes(deployment("router", 0, 1))},
         P1, "kubernetes", "router 0 of 1 pods ready, orders go nowhere", "3.1"),
    Case("router scaled to 0", {"kubernetes": kubernetes(deployment("router", 0, 0))},
         P1, "kubernetes", "router scaled to 0", "3.1"),
    Case("gateway has no pod", {"kubernetes": kubernetes(deployment("ws-gateway", 0, 2, pod("a", is_ready=False,
         reason="CrashLoopBackOff")))}, P2, "kubernetes", "ws-gateway 0 of 2 pods ready: CrashLoopBackOff", "3.2"),
    Case("one pod crashes", {"kubernetes": kubernetes(deployment("ws-gateway", 1, 2, pod("a"), pod("b", is_ready=False,
         reason="CrashLoopBackOff", restarts=4)))}, P3, "kubernetes", "ws-gateway: 1 pod CrashLoopBackOff, 4 restarts",
         "3.2"),
    Case("bad rollout", {"kubernetes": kubernetes(deployment("ws-gateway", 2, 2, pod("a"), pod("c", is_ready=False,
         reason="ImagePullBackOff"), rollout="stalled", updated=1))}, P3, "kubernetes",
         "ws-gateway rollout stalled: ImagePullBackOff", "3.2"),
    Case("one pod not ready", {"kubernetes": kubernetes(deployment("ws-gateway", 1, 2))},
         P3, "kubernetes", "ws-gateway 1 of 2 pods ready", "3.2"),
    Case("api down", {"kubernetes": kubernetes(deployment("api", 0, 2))},
         P4, "kubernetes", "api 0 of 2 pods ready", None),
    Case("deployment gone", {"kubernetes": kubernetes(absent=("router",))},
         P1, "kubernetes", "deployment router does not exist", "3.1"),
    Case("VaR", {"risk": risk(var_99=2.14e6)}, P1, "risk", "VaR 99 2.14 M > limit 2.00 M", "3.5"),
    Case("ES", {"risk": risk(es_975=2.7e6)}, P1, "risk", "ES 97.5 2.70 M > limit 2.60 M", "3.5"),
    Case("drawdown", {"risk": risk(drawdown_pct=0.053)}, P1, "risk", "drawdown 5.3 % > limit 5.0 %", "3.5"),
    Case("gross", {"risk": risk(gross_usd=61e6)}, P2, "risk", "gross 61.00 M > limit 60.00 M", "3.5"),
    Case("risk silent", {"risk": risk(age_s=8.0)}, P2, "risk", "risk metrics are 8.0 s old", "3.5"),
    Case("no VaR", {"risk": risk(var_99=None)}, P2, "risk", "no figure for VaR", "3.5"),
    Case("no figures", {"risk": risk(var_99=None, es_975=None, drawdown_pct=None)},
         P2, "risk", "no figure for VaR, ES, drawdown", "3.5"),
    Case("no gross", {"risk": risk(gross_usd=None)}, P2, "risk", "no figure for gross", "3.5"),
    Case("no limit of gross", {"risk": risk(limits=replace(risk().limits, gross_usd=None))},
         P3, "risk", "no limit set for gross", "3.5"),
    Case("no limits", {"risk": risk(limits=Limits())}, P2, "risk", "no limit set for VaR, ES, drawdown, gross", "3.5"),
    Case("unreadable position", {"risk": risk(positions=(Position("TSLA", None, None, None, None),))},
         P2, "risk", "cannot read the position in TSLA", "3.5"),
    Case("alert on its way back", {"alerts": alerts(AlertRule("Latency > 100 ms", "recovering", "warn", 40.0, None))},
         P3, "alerts", "alert recovering: Latency > 100 ms", "3.2"),
    Case("alert", {"alerts": alerts(AlertRule("Latency > 100 ms", "firing", "warn", 40.0, None))},
         P3, "alerts", "alert firing: Latency > 100 ms", "3.2"),
    Case("critical alert", {"alerts": alerts(AlertRule("VaR/ES > limits", "firing", "critical", 4.0, None))},
         P2, "alerts", "alert firing: VaR/ES > limits", "3.5"),
    Case("unlabelled alert", {"alerts": alerts(AlertRule("Moon", "firing", None, None, None))},
         P2, "alerts", "alert firing: Moon", None),
    Case("no way to tell", {"alerting": Alerting(is_automatic=True, audiences=(OPS,), has_mail=True)},
         P3, "alerts", "alerts.yaml has no way to tell ops, risk_officer by itself", None),
    Case("no risk officer", {"alerting": Alerting(is_automatic=True, audiences=(OPS,), has_slack=True)},
         P4, "alerts", "alerts.yaml has no way to tell risk_officer by itself", None),
    Case("NoData", {"alerts": alerts(AlertRule("Redis memory > 80%", "nodata", "warn", None, None))},
         P3, "alerts", "NoData: 1 alert rule has no data", "4"),
    Case("rule in error", {"alerts": alerts(AlertRule("Latency > 100 ms", "error", "warn", None, None))},
         P3, "alerts", "1 alert rule fails: Latency", "4"),
    Case("unknown alert", {"alerts": alerts(AlertRule("Latency > 100 ms", "unknown", "warn", None, None))},
         P3, "alerts", "1 alert rule in no known state: Latency", "4"),
    Case("no alert rules", {"alerts": alerts(has_rules=False)}, P3, "alerts", "Grafana shows no alert rules", "4"),
    Case("Grafana's database", {"alerts": alerts(is_database_ok=False)}, P3, "alerts", "its database fails", "4"),
]  # fmt: skip


def judged(changed: dict[str, Any]) -> tuple[Finding, ...]:
    """The findings after some readings, since noisy numbers must be seen several times."""
    memory = NOTHING
    for at in (NOW - 4, NOW - 3, NOW - 2, NOW - 1, NOW):
        assessment, memory = assess(snapshot(at, **changed), SETTINGS, memory)
    return assessment.findings


def test_healthy_day_has_no_finding() -> None:
    assessment, _ = assess(snapshot(), SETTINGS)
    assert assessment.findings == ()
    assert assessment.severity is Severity.OK
    assert {severity for _, severity in assessment.panels} == {Severity.OK}
    names = ["brokers", "flow", "feeds", "redis", "risk", "postgres", "kubernetes", "alerts"]
    assert [name for name, _ in assessment.panels] == names


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_illness_is_named(case: Case) -> None:
    found = [one for one in judged(case.changed) if case.words in one.summary]
    assert found, [one.summary for one in judged(case.changed)]
    finding = found[0]
    assert (finding.severity, finding.panel, finding.section) == (case.severity, case.panel, case.section)
    assert not finding.is_expected
    assert finding.observed
    assert finding.threshold
    assert len(finding.summary) <= 60


def test_one_illness_is_the_only_finding() -> None:
    for case in CASES:
        if len(case.changed) == 1:
            assert len(judged(case.changed)) == 1, (case.name, [one.summary for one in judged(case.changed)])


ELSEWHERE = {
    "alerts_file_wrong",
    "kill_switch_gone",
    "kill_switch_latched",
    "kill_switch_restored",
    "latch_unreadable",
    "reroute_left",
    "rules_off",
    "venue_reset",
}
"""Of the halt in test_severity_halt, of a reset in test_severity, of alert rules that are gone in test_alerting,
of orders that were left with a backup in test_dead_ends."""


def test_every_rule_has_an_illness_here_or_a_file_of_its_own() -> None:
    named = {one.rule for case in CASES for one in judged(case.changed)}
    assert {rule.name for rule in RULES} - named == ELSEWHERE


def test_a_young_redis_may_lack_something() -> None:
    """After ten seconds nothing is missing any more by chance."""
    bare: dict[str, Any] = {
        "flow": flow(validated=stream("orders.validated", "validated"), fills=stream("orders.fills", "fills")),
        "heartbeats": (),
    }
    assert judged(bare | {"redis": redis(uptime_s=9.0)}) == ()
    missing = judged(bare | {"redis": redis(uptime_s=10.0)})
    assert [(one.rule, one.subject) for one in missing] == [
        *(("group_missing", name) for name in ("ledger", "router")),
        *(("worker_missing", name) for name in ("ledger", "risk", "router")),
    ]
    empty = judged({"flow": flow(fills=stream("orders.fills", "fills", depth=None)), "redis": redis(uptime_s=9.0)})
    assert empty == ()


def test_how_many_candles_are_missing_is_unknown_not_none() -> None:
    """Also where what was missing stood, and the aggregator says nothing at all any more."""
    mute = {"candle_interval_s": None, "candle_age_s": None, "candles_missing": None}
    assert judged({"feeds": feeds(**mute)}) == (), "a platform without an aggregator"
    _, memory = assess(snapshot(feeds=feeds(candles_missing=3)), SETTINGS)
    found, memory = assess(snapshot(NOW + 60, feeds=feeds(**mute)), SETTINGS, memory)
    assert [(one.rule, one.observed) for one in found.findings] == [("candles_missing", "unknown")]
    found, _ = assess(snapshot(NOW + 120, feeds=feeds()), SETTINGS, memory)
    assert found.findings == ()
    silent = snapshot(feeds=feeds(candles_missing=None))
    assert "candles missing unknown" in PANEL_WORDS["feeds"](silent, SETTINGS)


def test_what_redis_does_not_say_is_drawn_as_unknown() -> None:
    names = ("is_aof_on", "is_aof_ok", "is_save_on", "is_save_ok", "last_save_age_s", "replicas", "clients",
             "ops_per_s", "uptime_s", "fragmentation_bytes", "is_loading")  # fmt: skip
    silent = snapshot(redis=redis(**dict.fromkeys(names)))
    shown = "\n".join(plain(row) for row in lines(View(silent, NOW, SETTINGS), 40, 12))
    assert "AOF ?, save ?" in shown
    assert "primary, replicas unknown" in shown
    assert "AOF unknown" in PANEL_WORDS["redis"](silent, SETTINGS)
    assert halt_readiness(silent, SETTINGS).is_durable is False


@pytest.mark.parametrize("name", ["risk", "router", "ledger"])
def test_a_worker_that_stands_still_is_answered_where_the_list_of_faults_says(name: str) -> None:
    assert FAULTS[f"lag-{name}"].section == rules_trading.group_behind.section


def test_a_postgres_that_was_stopped_is_answered_by_the_section_that_starts_it() -> None:
    from actions.runbook import runbook_for
    from cockpit.observe.lookout import make_judge

    assessment, _ = make_judge(SETTINGS, runbook_for(SETTINGS))(snapshot(docker=docker(postgres="exited")))
    assert [(one.section, one.keys) for one in assessment.findings] == [("3.4", "Space p")]
