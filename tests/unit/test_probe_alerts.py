"""The alerts probe: Grafana's states as its source has them, and a plain Alertmanager's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from probe_servers import CLOCK, serving, settings

from cockpit.clients.grafana import Alerting
from cockpit.errors import BackendError, Refused
from cockpit.probes.alerts import AlertsProbe, aged, alerts

NOW = datetime(2026, 1, 1, 12, 0, 30, tzinfo=UTC).timestamp()
SINCE = "2026-01-01T12:00:00Z"


def rule(state: str, health: str = "ok", *instances: str, **more: Any) -> dict[str, Any]:
    found = [
        {
            "state": state,
            "activeAt": SINCE,
            "labels": {"severity": "critical"},
            "annotations": {"summary": "it is late"},
        }
        for state in instances
    ]
    return {"name": "latency", "uid": "u1", "state": state, "health": health, "alerts": found, **more}


def routed(state: str, **labels: str) -> dict[str, Any]:
    return {"labels": {"alertname": "latency", **labels}, "status": {"state": state}, "startsAt": SINCE}


@pytest.mark.parametrize(
    ("said", "state"),
    [
        (rule("firing", "ok", "Alerting"), "firing"),
        (rule("firing", "nodata", "Alerting (NoData)"), "firing"),
        (rule("pending", "ok", "Pending"), "pending"),
        (rule("recovering", "ok", "Recovering"), "recovering"),
        (rule("inactive", "ok", "Normal (MissingSeries)"), "normal"),
        (rule("inactive", "nodata"), "nodata"),
        (rule("inactive", "ok", "NoData"), "nodata"),
        (rule("inactive", "error", "Error"), "error"),
        (rule("inactive", "unknown"), "nodata"),
        (rule("inactive", "unknown", isPaused=True), "normal"),
        (rule("pending", "nodata", "Normal (NoData)", "Pending"), "nodata"),
        (rule("inactive", "ok", "Normal", type="alerting"), "normal"),
        ({"name": "r", "type": "recording", "health": "ok"}, "normal"),
        ({"name": "r", "type": "recording", "health": "error"}, "error"),
        (rule("inactive", "err"), "error"),
        (rule("asleep"), "unknown"),
        (rule("inactive", "asleep"), "unknown"),
        (rule("inactive", "ok", "Asleep"), "unknown"),
        (rule("pending", "asleep"), "unknown"),
        ({}, "unknown"),
        ({"name": 7, "state": [], "alerts": [1, None], "labels": "x", "annotations": 3}, "unknown"),
    ],
)
def test_grafana_states(said: dict[str, Any], state: str) -> None:
    (found,) = alerts("Grafana", Alerting(True, (said,), ()), NOW).rules
    assert found.state == state


@pytest.mark.parametrize("source", ["Grafana", "Alertmanager"])
def test_only_an_alertmanager_has_no_rules_to_tell(source: str) -> None:
    for said in ((), (routed("active"),)):
        assert alerts(source, Alerting(True, (), said), NOW).has_rules is (source == "Alertmanager")


def test_details_come_from_the_alert() -> None:
    (found,) = alerts("Grafana", Alerting(True, (rule("firing", "ok", "Alerting"),), ()), NOW).rules
    assert (found.name, found.severity, found.since_s, found.summary) == ("latency", "critical", 30.0, "it is late")


@pytest.mark.parametrize(
    ("instances", "state"),
    [
        ([routed("suppressed")], "silenced"),
        ([routed("suppressed"), routed("active")], "firing"),
        ([routed("suppressed", __alert_rule_uid__="u1")], "silenced"),
        ([routed("suppressed", __alert_rule_uid__="another")], "firing"),
        ([], "firing"),
    ],
)
def test_silences(instances: list[Any], state: str) -> None:
    (found,) = alerts("Grafana", Alerting(True, (rule("firing", "ok", "Alerting"),), tuple(instances)), NOW).rules
    assert found.state == state


def test_alertmanager_groups_by_name() -> None:
    said = (routed("active"), routed("suppressed"), routed("suppressed", alertname="disk", severity="warn"))
    found = alerts("Alertmanager", Alerting(True, (), said), NOW).rules
    assert [(one.name, one.state, one.since_s) for one in found] == [
        ("latency", "firing", 30),
        ("disk", "silenced", 30),
    ]
    assert found[1].severity == "warn"


def probe(url: str, **more: Any) -> AlertsProbe:
    return AlertsProbe(settings(grafana={"url": url, "timeout_s": 1.0, **more}), CLOCK)


def grafana(**answers: Any) -> Any:
    replies = {
        "/api/health": {"database": "ok"},
        "/api/prometheus/grafana/api/v1/rules": {"data": {"groups": [{"rules": [rule("firing", "ok", "Alerting")]}]}},
        "/api/alertmanager/grafana/api/v2/alerts": [routed("suppressed")],
        "/api/alertmanager/grafana/api/v2/silences": [],
    }
    replies |= {next(path for path in replies if path.endswith(end)): said for end, said in answers.items()}
    return lambda request: replies[request.path]


async def test_grafana_is_read_with_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_GRAFANA", "glsa_1")
    seen: list[str | None] = []

    def answer(request: web.Request) -> Any:
        seen.append(request.headers.get("Authorization"))
        return grafana()(request)

    async with serving(answer) as url:
        one = probe(url, token={"env": "TEST_GRAFANA"})
        found = await one.read()
        await one.close()
    assert found.source == "Grafana" and found.is_database_ok and found.count("silenced") == 1
    assert sorted(map(str, seen)) == ["Bearer glsa_1", "Bearer glsa_1", "Bearer glsa_1", "None"]


async def test_failing_database() -> None:
    failing = web.json_response
    async with serving(grafana(health={}, rules={"data": {"groups": []}})) as url:
        assert not (await probe(url).read()).is_database_ok

    def answer(request: web.Request) -> Any:
        return failing({"database": "failing", "message": "locked"}, status=503 if "health" in request.path else 500)

    async with serving(answer) as url:
        with pytest.raises(BackendError, match=r"Grafana's database is failing: answered 500 .*locked"):
            await probe(url).read()


@pytest.mark.parametrize(("status", "words"), [(401, "refuses the credentials"), (403, "lack a permission")])
async def test_refused(status: int, words: str) -> None:
    async with serving(lambda request: web.json_response({"message": "no"}, status=status)) as url:
        with pytest.raises(Refused, match=words):
            await probe(url).read()


@pytest.mark.parametrize("odd", [[], {}, {"data": {"groups": [1]}}, {"data": {"groups": [{"rules": [7]}]}}])
async def test_odd_rules(odd: Any) -> None:
    async with serving(grafana(rules=odd)) as url:
        with pytest.raises(BackendError, match="something else"):
            await probe(url).read()


async def test_alertmanager() -> None:
    def answer(request: web.Request) -> Any:
        return {"/api/v2/status": {"cluster": {"status": "ready"}}, "/api/v2/alerts": [routed("active")]}[request.path]

    async with serving(answer) as url:
        found = await probe(url, is_alertmanager=True).read()
    assert found.source == "Alertmanager" and found.is_database_ok and found.count("firing") == 1


@pytest.mark.parametrize("labels", [("info", "critical"), ("critical", "info")])
def test_of_alerts_of_one_name_the_worst_that_stands_is_told(labels: tuple[str, str]) -> None:
    """Alertmanager's warning and critical of one thing mostly share one name; a silenced one says nothing."""
    states = {"info": "active", "critical": "active"}
    for is_silenced, severity in ((False, "critical"), (True, "info")):
        states["critical"] = "suppressed" if is_silenced else "active"
        made = tuple(
            {"labels": {"alertname": "RedisDown", "severity": label}, "status": {"state": states[label]}}
            for label in labels
        )
        (told,) = alerts("Alertmanager", Alerting(True, (), made), 0.0).rules
        assert (told.state, told.severity) == ("firing", severity)
    shown = [{"state": "Alerting", "labels": {"severity": label}} for label in labels]
    rule = {"name": "RedisDown", "state": "firing", "health": "ok", "alerts": shown}
    (told,) = alerts("Grafana", Alerting(True, (rule,), ()), 0.0).rules
    assert told.severity == "critical"


SILENCE = {"id": "a1", "endsAt": "2026-01-01T12:10:00Z", "createdBy": "asha", "matchers": []}


def said(*silences: dict[str, Any]) -> Alerting:
    rules = (rule("firing", "ok", "Alerting"), rule("inactive", "ok", "Normal"))
    return Alerting(True, rules, (routed("active"),), silences, None)


def test_the_same_answer_later_is_what_reading_it_anew_would_tell() -> None:
    first = alerts("Grafana", said(SILENCE), NOW)
    assert aged(first, 4.5) == alerts("Grafana", said(SILENCE), NOW + 4.5) != first


@pytest.mark.parametrize(("began_s", "by_s"), [(NOW, 569.9 + 0.1), (NOW, -1.0), (NOW - 100.0, 1.0)])
def test_what_cannot_be_aged_is_read_anew(began_s: float, by_s: float) -> None:
    """A silence that ends, a clock that was set back, an alert that began ahead of our clock."""
    assert aged(alerts("Grafana", said(SILENCE), began_s), by_s) is None


async def test_an_answer_that_changes_is_seen_at_once() -> None:
    states = iter(("Normal", "Normal", "Alerting"))

    def answer(request: web.Request) -> Any:
        if "rules" in request.path:
            state = next(states)
            one = rule("firing" if state == "Alerting" else "inactive", "ok", state)
            return {"data": {"groups": [{"rules": [one]}]}}
        return {"database": "ok"} if request.path.endswith("health") else []

    async with serving(answer) as url:
        looking = probe(url)
        counts = [(await looking.read()).count("firing") for _ in range(3)]
        await looking.close()
    assert counts == [0, 0, 1]
