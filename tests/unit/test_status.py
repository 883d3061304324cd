"""`cockpit status`: the same facts as text and as JSON, and an exit code that never says OK by mistake."""

from __future__ import annotations

import argparse
import json
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cockpit.clock import SystemClock
from cockpit.config import Settings, load
from cockpit.errors import ConfigError
from cockpit.headless import status
from cockpit.headless.listening import Ear
from cockpit.headless.panel_words import PANEL_WORDS
from cockpit.headless.status_json import as_json, facts
from cockpit.headless.status_text import as_text, trading_words
from cockpit.model.sample import Sample
from cockpit.model.severity import Severity
from cockpit.model.snapshot import PROBES, Snapshot
from cockpit.model.states import KillSwitch
from cockpit.model.world import World
from cockpit.parts import parsed
from cockpit.session import Session, find_world
from cockpit.severity.judge import assess
from cockpit.severity.silence import PANELS, configured
from cockpit.severity.trading import trading
from cockpit.storage.incident_text import facts as incident_facts
from tests.patience import PATIENCE_S
from tests.unit.healthy import NOW, SETTINGS, dead, feed, feeds, snapshot, values


def judged(**changed: Any) -> Snapshot:
    found = snapshot(**changed)
    memory = assess(snapshot(NOW - 1, **changed), SETTINGS)[1]
    return replace(found, assessment=assess(found, SETTINGS, memory)[0])


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture
def dead_platform(tmp_path: Path) -> Path:
    """A configuration of which nothing answers."""
    port = closed_port()
    file = tmp_path / "cockpit.yaml"
    file.write_text(
        f"site: dead\nworld: PAPER\nroot: {tmp_path}\nstate: {tmp_path}/state\n"
        f"redis: {{url: 'redis://127.0.0.1:{port}/0'}}\n"
        f"venues: [{{name: IBKR, probe: 'tws://127.0.0.1:{port}'}}]\n"
        f"postgres: {{dsn: 'host=127.0.0.1 port={port} dbname=x user=x', dump: none.dump}}\n"
        f"docker: {{url: 'unix://{tmp_path}/docker.sock'}}\n"
        f"grafana: {{url: 'http://127.0.0.1:{port}'}}\n",
        encoding="utf-8",
    )
    return file


def test_healthy_text() -> None:
    text = as_text(judged(), SETTINGS)
    assert text.splitlines() == [
        "SANDBOX test   2027-01-15T08:00:00Z",
        "Trading     ACTIVE",
        "Halt        ready via Redis: durable (AOF everysec)",
        "Severity    OK",
        "Incident    UNKNOWN",
        "",
        "Brokers     OK        0.3 s  IBKR up 12 ms, ZERODHA up 12 ms, PAPER up 12 ms",
        "Order flow  OK        0.3 s  incoming 50/s, validated 50/s, rejected 2/s, fills 50/s, in flight 3",
        "Feeds       OK        0.3 s  yahoo PRIMARY p95 28 ms 100/s, moneycontrol p95 28 ms 100/s",
        "Redis       OK        0.3 s  42 MB of 268 MB, noeviction, AOF ok, primary, 1,200 ops/s, 0.4 ms",
        "Risk        OK        0.3 s  VaR 60 %, ES 62 %, drawdown 0.8 % of 5.0 %, gross 68 %, P&L +184,210, 1 position",
        "Postgres    OK        0.3 s  18 of 100 connections, blocked 0, 88 MB, dump 52 s old, parses",
        "Kubernetes  OK        0.3 s  ws-gateway 2/2, router 1/1, api 2/2",
        "Alerts      OK        0.3 s  firing 0, pending 0, no data 0, silenced 0",
    ]


def test_findings_stand_below_worst_first() -> None:
    text = as_text(judged(feeds=feeds(feed("yahoo", lag_p95_ms=341.0))), SETTINGS)
    assert "Severity    P2, 1 finding" in text
    last = text.splitlines()[-1]
    assert last.startswith("P2     yahoo p95 341 ms > 100 ms")
    assert last.endswith("1.0 s+  3.2 Data feed failure")


def test_old_values_are_called_old_and_unknown_is_no_number() -> None:
    text = as_text(judged(flow=dead(value=values()["flow"]), redis=dead(age_s=None)), SETTINGS)
    flow = next(line for line in text.splitlines() if line.startswith("Order flow"))
    redis = next(line for line in text.splitlines() if line.startswith("Redis"))
    assert "6.0 s  last known: incoming 50/s" in flow
    assert redis.split() == ["Redis", "P2", "-", "no", "data", "yet"]


def test_trading_words() -> None:
    engaged = KillSwitch(True, True, "drill", "asha", NOW - 180)
    assert trading_words(trading(judged(kill_switch=engaged)), NOW) == "HALTED 3 m by asha: drill"
    unknown = trading(judged(kill_switch=dead(value=engaged)))
    assert trading_words(unknown, NOW) == "UNKNOWN, last known HALTED 6.0 s ago"


def test_every_panel_has_words() -> None:
    empty = Snapshot(0, NOW, World.LIVE, "x")
    bare = parsed(Settings, {"site": "bare", "root": "/nowhere", "redis": None})
    assert set(PANEL_WORDS) == set(PANELS)
    for words in PANEL_WORDS.values():
        assert words(snapshot(), SETTINGS)
        assert words(empty, SETTINGS) == "no data yet"
        assert words(empty, bare) in ("no data yet", "not configured")


def test_json_has_stable_keys() -> None:
    found = facts(judged(feeds=feeds(feed("yahoo", lag_p95_ms=341.0))), SETTINGS)
    assert list(found) == [
        "format", "taken_at", "world", "site", "severity", "exit_code", "trading", "halt", "panels", "findings",
            "incidents", "jobs",
        "samples",
    ]  # fmt: skip
    assert (found["severity"], found["exit_code"]) == ("P2", 12)
    assert tuple(found["samples"]) == PROBES
    assert set(found["panels"]) == set(PANELS)
    assert found["panels"]["feeds"] == {"severity": "P2", "age_s": pytest.approx(0.3)}
    finding = found["findings"][0]
    assert set(finding) == {
        "rule", "subject", "severity", "panel", "summary", "observed", "threshold", "since", "section",
        "section_title", "keys", "release", "is_expected", "since_is", "follows", "by_hand",
    }  # fmt: skip
    assert finding["severity"] == "P2"
    assert found["samples"]["kill_switch"]["value"]["is_engaged"] is False
    json.dumps(found, allow_nan=False)


def test_json_of_nothing_is_null_not_zero() -> None:
    found = facts(Snapshot(0, NOW, World.LIVE, "x"), SETTINGS)
    assert (found["severity"], found["exit_code"]) == ("unknown", 15)
    assert found["trading"]["state"] == "UNKNOWN"
    assert found["samples"]["redis"]["value"] is None
    assert found["panels"]["redis"] == {"severity": "unknown", "age_s": None}


def test_json_is_ascii_whatever_a_file_is_called() -> None:
    odd = incident_facts("2026-01-01-\x9b2J\u202e", "")
    said = as_json(replace(judged(), incidents=Sample.good((odd,), NOW, 0.0)), SETTINGS)
    assert said.isascii() and said.isprintable()
    assert json.loads(said)["incidents"][0]["id"] == odd.id


def test_exit_codes_are_those_of_the_json() -> None:
    for severity, code in status.EXIT_CODES.items():
        found = judged()
        found = replace(found, assessment=replace(found.assessment, severity=severity))
        assert facts(found, SETTINGS)["exit_code"] == code


def test_first_round_needs_every_backend_and_two_readings() -> None:
    ear = Ear(configured(SETTINGS))
    ear(replace(snapshot(), docker=Sample()))
    ear(snapshot(NOW))
    assert not ear.wait_round(0)
    ear(snapshot(NOW + 1))
    assert ear.wait_round(0)
    failing = Ear(configured(SETTINGS))
    failing(snapshot(feeds=dead()))
    assert failing.wait_round(0)


def test_dead_platform_is_p1(dead_platform: Path, capsys: pytest.CaptureFixture[str]) -> None:
    started = time.monotonic()
    code = status.run(argparse.Namespace(config=dead_platform, json=True, watch=False))
    assert time.monotonic() - started < PATIENCE_S
    found = json.loads(capsys.readouterr().out)
    assert code == found["exit_code"] == 11
    assert found["world"] == "PAPER"
    silent = {one["subject"] for one in found["findings"] if one["rule"] == "backend_silent"}
    assert {"Redis", "Postgres", "Docker", "Grafana"} <= silent
    assert found["trading"]["state"] == "UNKNOWN"
    assert found["samples"]["kubernetes"] is None


def test_session_on_a_dead_platform_starts_says_so_and_stops(dead_platform: Path) -> None:
    session = Session.open(load(dead_platform), SystemClock())
    assert session.snapshot.assessment.severity is Severity.UNKNOWN
    judged_once = threading.Event()

    def listen(one: Snapshot) -> None:
        if one.assessment.severity is Severity.P1 and one.trends:
            judged_once.set()

    session.start(listen)
    try:
        assert judged_once.wait(PATIENCE_S)
        assert session.history("fills_per_s")
        assert {spec.section for spec in session.actions()} >= {"3.1"}
        assert session.job("none") is None
        plan = session.prepare("kill_switch.engage", {}).result(PATIENCE_S)
        assert plan.site == "dead"
        session.poke("redis")
    finally:
        started = time.monotonic()
        session.stop(1.0)
        assert time.monotonic() - started < PATIENCE_S / 2


def test_watch_that_has_ended_ends_with_unknown(
    dead_platform: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_sources(settings: Settings, clock: SystemClock) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr("cockpit.observe.lookout.sources", no_sources)
    monkeypatch.setattr(status, "FIRST_ROUND_S", 0.5)
    code = status.run(argparse.Namespace(config=dead_platform, json=True, watch=True))
    *_, last = map(json.loads, capsys.readouterr().out.splitlines())
    assert code == last["exit_code"] == 15
    assert last["findings"][0]["summary"].startswith("the cockpit itself has stopped watching: RuntimeError")
    assert last["halt"]["word"] == "unknown"


def test_no_platform_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("cockpit.session.find_world", lambda config, tell: None)
    with pytest.raises(ConfigError, match="cockpit sandbox up"):
        status.run(argparse.Namespace(config=None, json=False, watch=False))


def test_named_configuration_wins(dead_platform: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(f"site: other\nroot: {tmp_path}\n", encoding="utf-8")
    monkeypatch.setenv("COCKPIT_CONFIG", str(other))
    found = find_world(dead_platform)
    assert found is not None
    assert found.site == "dead"
    found = find_world(None)
    assert found is not None
    assert found.site == "other"
