"""Grafana's alerting API over a real Redis: rules fire, go blind, are silenced and recover."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis import Redis
from redis.exceptions import RedisError
from served_runtimes import Box, eventually, free_port, serving

from cockpit.sandbox.served.grafana_api import GrafanaServer
from cockpit.sandbox.served.grafana_rules import RULES, WARM_UP_S, Standing
from cockpit.sandbox.served.grafana_silences import read_matcher
from cockpit.sandbox.served.grafana_source import Readings
from tests.patience import PATIENCE_S

REDIS = shutil.which("redis-server") or shutil.which("redis-server", path=str(Path(sys.executable).parent))
ALERTS = "/api/alertmanager/grafana/api/v2/alerts"
SILENCES = "/api/alertmanager/grafana/api/v2/silences"
RULES_PATH = "/api/prometheus/grafana/api/v1/rules"

pytestmark = pytest.mark.skipif(REDIS is None, reason="no redis-server")


class Platform:
    """A Redis with a healthy day in it, kept fresh by a task, and a Grafana that looks at it."""

    def __init__(self, redis: Redis, child: subprocess.Popen[bytes], http: httpx.AsyncClient, gate: Box) -> None:
        self.redis, self.child, self.http, self.gate = redis, child, http, gate
        self.lag_ms, self.var, self.is_blind, self.is_ticking = 10, 50.0, False, True

    async def feed(self) -> None:
        while True:
            if self.is_ticking:
                now_ms = time.time_ns() // 1_000_000
                tick = {"symbol": "AAPL", "price": 1.0, "ts_ms": now_ms - self.lag_ms, "source": "yahoo"}
                metrics = {"ts_ms": now_ms, "var_99": self.var, "es_975": 60.0, "drawdown_pct": 0.01}
                with contextlib.suppress(RedisError):
                    self.redis.xadd("ticks.yahoo", {"json": json.dumps(tick)}, maxlen=100)
                    self.redis.xadd("risk.metrics", {"json": json.dumps(metrics)}, maxlen=100)
            await asyncio.sleep(0.01)

    async def states(self) -> dict[str, str]:
        groups = (await self.http.get(RULES_PATH)).json()["data"]["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        return {rule["name"]: rule["health"] if rule["health"] == "nodata" else rule["state"] for rule in rules}

    async def alerts(self, **query: str) -> list[dict[str, Any]]:
        return (await self.http.get(ALERTS, params=query)).json()

    async def is_state(self, name: str, state: str) -> bool:
        return (await self.states())[name] == state

    async def becomes(self, name: str, state: str) -> None:
        await eventually(lambda: self.is_state(name, state))


@pytest.fixture
async def platform(tmp_path: Path) -> AsyncIterator[Platform]:
    redis_port, port, gate = free_port(), free_port(), Box()
    assert REDIS is not None
    child = subprocess.Popen(
        [REDIS, "--port", str(redis_port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)],
        stdout=subprocess.DEVNULL,
    )
    redis = Redis(port=redis_port, protocol=2, socket_timeout=PATIENCE_S)

    def answers() -> bool:
        try:
            return bool(redis.ping())
        except RedisError:
            return False

    try:
        await eventually(answers)
        redis.hset("ingest:active", "feed", "yahoo")
        redis.hset("risk:limits", mapping={"var_99": 100, "es_975": 120, "drawdown_pct": 0.05})
        headers = {"Authorization": "Bearer glsa_t"}
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=PATIENCE_S) as http:
            platform = Platform(redis, child, http, gate)
            feeding = asyncio.create_task(platform.feed())
            try:
                async with serving(GrafanaServer(port, "glsa_t", redis_port, lambda: platform.is_blind, gate)):
                    yield platform
            finally:
                feeding.cancel()
    finally:
        redis.close()
        os.kill(child.pid, signal.SIGCONT)
        child.kill()
        child.wait()


async def test_a_late_feed_fires_and_a_silence_really_silences(platform: Platform) -> None:
    await platform.becomes("Latency > 100 ms", "inactive")
    assert set((await platform.states()).values()) == {"inactive"} and await platform.alerts() == []
    platform.lag_ms = 300
    await platform.becomes("Latency > 100 ms", "firing")
    (alert,) = await platform.alerts()
    assert alert["labels"]["alertname"] == "Latency > 100 ms" and alert["status"]["state"] == "active"
    assert alert["labels"]["grafana_folder"] and alert["annotations"]["summary"].startswith("Ticks of the primary")
    assert (await platform.alerts(filter='severity=~"crit.*"')) == [
        alert | {"endsAt": _any(alert), "updatedAt": _any(alert)}
    ]
    assert await platform.alerts(filter="severity=info") == []
    body = {
        "matchers": [{"name": "alertname", "value": "Latency.*", "isRegex": True, "isEqual": True}],
        "startsAt": datetime.now(UTC).isoformat(),
        "endsAt": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
        "createdBy": "drill",
        "comment": "tested",
    }
    made = await platform.http.post(SILENCES, json=body)
    assert made.status_code == 202
    (alert,) = await platform.alerts()
    assert alert["status"] == {"inhibitedBy": [], "silencedBy": [made.json()["silenceID"]], "state": "suppressed"}
    assert await platform.alerts(silenced="false") == []
    assert [s["status"]["state"] for s in (await platform.http.get(SILENCES)).json()] == ["active"]
    assert (await platform.http.delete(f"{SILENCES[:-1]}/{made.json()['silenceID']}")).status_code == 200
    soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    assert (await platform.http.post(SILENCES, json={**body, "endsAt": soon})).status_code == 202
    await eventually(lambda: platform.alerts(silenced="false"))
    assert [s["status"]["state"] for s in (await platform.http.get(SILENCES)).json()] == ["expired"] * 2
    platform.lag_ms = 10
    await platform.becomes("Latency > 100 ms", "inactive")


class _Any:
    def __eq__(self, _other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


def _any(_of: object) -> _Any:
    return _Any()


async def test_rules_over_redis_risk_and_ticks(platform: Platform) -> None:
    platform.var = 130.0
    await platform.becomes("VaR over limit", "firing")
    assert (await platform.states())["ES over limit"] == "inactive"
    used = platform.redis.info("memory")["used_memory"]
    platform.redis.config_set("maxmemory", int(used / 0.87))
    await platform.becomes("Redis memory > 80 %", "firing")
    platform.is_ticking = False
    await platform.becomes("No fresh ticks", "firing")
    answer = (await platform.http.get(RULES_PATH, params={"state": "firing", "limit_alerts": "0"})).json()
    rules = [rule for group in answer["data"]["groups"] for rule in group["rules"]]
    assert {rule["name"] for rule in rules} >= {"No fresh ticks", "Redis memory > 80 %"}
    assert answer["data"]["totals"]["firing"] == len(rules) and all(rule["alerts"] == [] for rule in rules)
    only = {"matcher": '{"name":"severity","value":"warning"}'}
    found = (await platform.http.get(RULES_PATH, params=only)).json()["data"]["groups"]
    assert [rule["name"] for group in found for rule in group["rules"]] == ["Redis memory > 80 %"]


@pytest.mark.parametrize("cause", ["blind", "stopped", "killed"])
async def test_what_cannot_be_seen_is_no_data(platform: Platform, cause: str) -> None:
    await platform.becomes("VaR over limit", "inactive")
    if cause == "blind":
        platform.is_blind = True
    else:
        platform.is_ticking = False
        os.kill(platform.child.pid, signal.SIGSTOP if cause == "stopped" else signal.SIGKILL)
    await platform.becomes("VaR over limit", "nodata")
    assert set((await platform.states()).values()) == {"nodata"}
    alerts = await platform.alerts()
    assert {alert["labels"]["alertname"] for alert in alerts} == {"DatasourceNoData"} and len(alerts) == len(RULES)
    if cause == "killed":
        return
    platform.is_blind, platform.is_ticking = False, True
    os.kill(platform.child.pid, signal.SIGCONT)
    await platform.becomes("VaR over limit", "inactive")


async def test_who_may_ask_and_what_is_refused(platform: Platform) -> None:
    http = platform.http
    assert (await http.get("/api/health", headers={"Authorization": ""})).json()["database"] == "ok"
    assert (await http.get(ALERTS, headers={"Authorization": "Bearer x"})).status_code == 401
    assert (await http.get(ALERTS, params={"filter": "?"})).status_code == 400
    assert (await http.get(RULES_PATH, params={"state": "bad"})).status_code == 400
    assert (await http.get(RULES_PATH, params={"limit_alerts": "x"})).status_code == 400
    assert (await http.get(RULES_PATH, params={"matcher": "["})).status_code == 400
    assert (await http.get("/api/none")).status_code == 404
    for body in (
        b"[]",
        b"{",
        b"{}",
        b'{"matchers":[{}],"startsAt":"2026-01-01T00:00:00Z","endsAt":"2026-01-02T00:00:00Z"}',
    ):
        assert (await http.post(SILENCES, content=body)).status_code == 400
    assert (await http.delete(SILENCES[:-1] + "/none")).status_code == 404
    platform.gate.value = "error"
    assert (await http.get("/api/health")).json()["database"] == "failing"
    platform.gate.value = "blackhole"
    with pytest.raises(httpx.ReadTimeout):
        await http.get("/api/health", timeout=httpx.Timeout(PATIENCE_S, read=0.3))


def test_a_rule_s_standing() -> None:
    rule = next(rule for rule in RULES if rule.uid == "sbx-latency")
    standing, start = Standing(rule), datetime(2026, 1, 1, tzinfo=UTC)

    def after(seconds: float, readings: Readings | None) -> str:
        standing.evaluate(readings, start + timedelta(seconds=seconds), 0.001)
        return standing.state

    late, fine = Readings(latency_p95_ms=300.0), Readings(latency_p95_ms=20.0)
    assert [after(s, late) for s in (0, 0.5, 1, 2)] == ["Pending", "Pending", "Alerting", "Alerting"]
    assert standing.active_at == start and "300 ms" in standing.summary
    assert [after(3, None), after(4, late), after(5, fine), after(6, Readings())] == [
        "NoData",
        "Pending",
        "Normal",
        "Normal",
    ]


def test_a_rule_waits_a_while_for_its_first_data_and_not_for_a_source_that_is_gone() -> None:
    rule = next(rule for rule in RULES if rule.uid == "sbx-drawdown")
    start = datetime(2026, 1, 1, tzinfo=UTC)

    def after(seconds: float, readings: Readings | None) -> str:
        standing.evaluate(readings, start + timedelta(seconds=seconds), 0.001)
        return standing.state

    known = Readings(metrics={"drawdown_pct": 1.0}, limits={"drawdown_pct": 10.0})
    standing = Standing(rule, updated_at=start)
    assert [after(0, Readings()), after(WARM_UP_S, Readings())] == ["Normal", "NoData"]
    standing = Standing(rule, updated_at=start)
    assert [after(0, Readings()), after(1, known), after(2, Readings())] == ["Normal", "Normal", "NoData"]
    standing = Standing(rule, updated_at=start)
    assert after(0, None) == "NoData"


def test_matchers() -> None:
    labels = {"severity": "critical"}
    for text, is_match in (("severity=critical", 1), ('severity!="critical"', 0), ("severity!~warn.*", 1), ("a=", 1)):
        assert read_matcher(text).matches(labels) == bool(is_match), text
    with pytest.raises(ValueError, match="regular"):
        read_matcher("a=~(")
