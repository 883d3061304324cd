"""alerts.yaml: a fund's own file loads, sets thresholds, switches rules off; what is wrong is named by its place."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from cockpit import cli
from cockpit.alerting.file import AlertsFile
from cockpit.alerting.force import in_force
from cockpit.alerting.reader import Document, read
from cockpit.errors import ConfigError
from cockpit.model.alerting import Alerting
from cockpit.model.finding import Finding
from cockpit.model.severity import Severity
from cockpit.severity.judge import assess
from cockpit.storage.alerts_in_force import AlertsInForce
from tests.unit.healthy import NOW, SETTINGS, dead, feed, feeds, redis, risk, snapshot, venue, venues

OURS = Path(__file__).parents[2] / "cockpit" / "sandbox" / "scripts" / "alerts.yaml"
THEIRS = """\
version: 2
risk:
  drawdown: {enabled: true, threshold_pct: 4.0, severity: critical, window: 1d}
  var_99: {enabled: true, threshold_pct: 90, severity: warn}
execution:
  order_latency: {enabled: true, budget_ms: 120, severity: warn}
  slippage: {enabled: true, threshold_bps: 12, severity: info}
sentiment:
  score_drop: {enabled: false, threshold: 0.3, severity: info}
market:
  feed_latency: {enabled: true, max_lag_ms: 80, severity: critical}
system:
  redis_memory: {enabled: true, threshold_pct: 70%, severity: warning}
  candle_gaps: {enabled: false, max_missing: 3}
notify:
  channels: [ui_banner, slack, email, pager]
routing:
  slack: {webhook_url: "https://hooks.slack.com/services/T/B/verysecret", channel: "#ops"}
  email: {to: [ops@fund.example], smtp_server: mail}
  ui_banner: {enabled: true}
"""


def loaded(text: str) -> Document:
    return read(text)


def judged(text: str, **changed: Any) -> tuple[Finding, ...]:
    alerting = read(text).alerting
    return assess(snapshot(alerting=alerting, **changed), SETTINGS)[0].findings


def test_a_funds_file_loads_and_what_is_not_understood_is_named() -> None:
    found = loaded(THEIRS).alerting
    assert [remark.text for remark in found.remarks] == [
        "version: not understood",
        "risk.drawdown.window: not understood",
        "execution.slippage: not judged by the cockpit",
        "sentiment.score_drop: not judged by the cockpit",
        "notify.channels pager: not understood",
        "routing.slack.channel: not understood",
        "routing.email.smtp_server: not understood",
    ]
    assert (found.remarks[1].line, found.remarks[1].column) == (3, 69)
    assert dict(found.thresholds) == pytest.approx(
        {"drawdown_fraction": 0.04, "var_share": 0.9, "venue_latency_ms": 120.0, "feed_lag_ms": 80.0,
         "redis_memory_fraction": 0.7}
    )  # fmt: skip
    assert found.switched_off == ("sentiment.score_drop", "system.candle_gaps")
    assert found.has_slack and not found.is_automatic
    (ops,) = found.audiences
    assert (ops.name, ops.channels, ops.to, ops.detail) == ("ops", ("slack", "email"), ("ops@fund.example",), "full")


def test_nothing_shown_holds_the_webhook() -> None:
    document = loaded(THEIRS)
    assert "verysecret" not in repr(document) and "verysecret" not in repr(document.alerting)
    assert document.routing.slack is not None and document.routing.slack.reveal().endswith("verysecret")


def test_the_sandbox_file_is_understood_whole() -> None:
    found = read(OURS.read_text().replace("$slack_webhook_url", "http://127.0.0.1:1/x").replace("$smtp_port", "25")
                 .replace("$smtp_security", "none")).alerting  # fmt: skip
    assert found.remarks == ()
    assert {one.name: one.detail for one in found.audiences} == {
        "ops": "full", "risk_officer": "full", "stakeholders": "summary"
    }  # fmt: skip
    settings = in_force(SETTINGS, found)
    assert settings.thresholds.feed_lag_ms == 100.0 and settings.thresholds.venue_silent_s == 5.0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("risk:\n  drawdown: {enabled: maybe}", "line 2, column 23, risk.drawdown.enabled must be true or false"),
        ("risk:\n  drawdown:\n    threshold_pct: .nan", "line 3, column 20, risk.drawdown.threshold_pct must be a num"),
        ("risk:\n  drawdown: {threshold_pct: -1}", "line 2, column 29, risk.drawdown.threshold_pct must be a number"),
        ("risk: [1]", "line 1, column 7, risk must be a mapping"),
        ("- a", "line 1, column 1, the file must be a mapping"),
        ("risk: {a: 1, a: 2}", "line 1, column 14, a stands twice in risk"),
        ("a: [", "line 1, column 5, not valid YAML"),
        ("routing: {email: {to: [nobody]}}", "line 1, column 23, routing.email.to must hold mail addresses"),
        ("routing: {email: {to: ['a@b\\n, c@d']}}", "must hold mail addresses"),
        ("routing: {slack: {webhook_url: {env: A, file: b}}}", "names exactly one of env and file"),
        ("routing: {slack: {webhook_url: {command: [sh, -c, id]}}}", "names exactly one of env and file"),
        (
            "routing: {email: {smtp: {host: h, security: maybe}}}",
            "line 1, column 45, security must be one of none, starttls, tls, not 'maybe'",
        ),
        (
            "routing: {email: {smtp: {host: h, security: none, user: u, password: {env: P}}}}",
            "line 1, column 45, security: none would send the password in the clear: say starttls or tls",
        ),
        ("routing: {email: {smtp: {host: 10.0.0.1, security: none, password: p}}}", "in the clear"),
        ("routing: {email: {smtp: {host: h, port: 99999}}}", "port must be a number from 1 to 65535"),
        ("audiences: {stakeholders: {detail: full}}", "audiences.stakeholders.detail must be summary"),
        ("&a [*a]", "the file must be a mapping"),
    ],
)
def test_what_is_wrong_is_named_by_line_and_column(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "smtp",
    [
        "host: 127.0.0.1, security: none, password: p",
        "host: localhost, security: none, password: p",
        "host: h, security: none, user: u",
        "host: h, security: starttls, password: p",
    ],
)
def test_a_password_that_stays_here_or_is_covered_may_be_sent(smtp: str) -> None:
    assert read(f"routing: {{email: {{smtp: {{{smtp}}}}}}}").routing.mail is not None


def test_a_secret_may_stand_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hook").write_text("https://hooks.example/file\n")
    monkeypatch.setenv("HOOK", "https://hooks.example/env")
    for written, wanted in (
        ("${HOOK}", "https://hooks.example/env"),
        ("{env: HOOK}", "https://hooks.example/env"),
        (f"{{file: {tmp_path}/hook}}", "https://hooks.example/file"),
    ):
        slack = read(
            f"routing: {{slack: {{webhook_url: {written if written[0] == '{' else repr(written)}}}}}"
        ).routing.slack
        assert slack is not None and slack.reveal() == wanted


def test_its_thresholds_win_and_the_stricter_of_two_limits_counts() -> None:
    late = feeds(feed("yahoo", lag_p95_ms=90.0))
    settings = in_force(SETTINGS, read("market: {feed_latency: {max_lag_ms: 80}}").alerting)
    assert settings.thresholds.feed_lag_ms == 80.0
    assert in_force(SETTINGS, None) is SETTINGS
    assert assess(snapshot(feeds=late), SETTINGS)[0].findings == ()
    fallen = judged("risk: {drawdown: {threshold_pct: 4}}", risk=risk(drawdown_pct=0.045))
    assert [(one.severity, one.summary) for one in fallen] == [(Severity.P1, "drawdown 4.5 % > limit 4.0 %")]
    assert judged("risk: {drawdown: {threshold_pct: 9}}", risk=risk(drawdown_pct=0.055))[0].severity is Severity.P1


def test_a_share_of_a_limit_warns_early_and_never_lifts_the_limit() -> None:
    text = "risk: {var_99: {threshold_pct: 90, severity: warn}}"
    near = judged(text, risk=risk(var_99=1.9e6))
    assert [(one.severity, one.summary) for one in near] == [(Severity.P3, "VaR 99 1.90 M > 90 % of limit 2.00 M")]
    assert judged(text, risk=risk(var_99=2.1e6))[0].severity is Severity.P1
    above = judged("risk: {var_99: {threshold_pct: 150}}", risk=risk(var_99=2.1e6))
    assert [one.severity for one in above] == [Severity.P1]


def test_off_is_not_judged_and_said() -> None:
    text = "execution: {order_latency: {enabled: false, budget_ms: 100}}"
    found = judged(text, venues=venues(venue("IBKR", latency_ms=900.0)))
    assert [(one.severity, one.summary, one.is_expected) for one in found] == [
        (Severity.P4, "off in alerts.yaml: execution.order_latency", True)
    ]


def test_p1_lines_are_judged_whatever_the_file_says() -> None:
    text = (
        "system: {redis_down: {enabled: false}, redis_memory: {enabled: false}}\n"
        "execution: {broker_down: {enabled: no}}"
    )
    assert judged(text, venues=venues(venue("IBKR", "down")))[0].severity is Severity.P1
    assert judged(text, postgres=dead())[0].severity is Severity.P1
    assert judged(text, redis=redis(used_bytes=255 * 2**20))[0].severity is Severity.P1
    assert [one.severity for one in judged(text, redis=redis(used_bytes=230 * 2**20))] == [Severity.P4]


def test_critical_raises_and_info_lowers_nothing() -> None:
    silent = {"feeds": feeds(feed("moneycontrol", newest_age_s=5.0))}
    text = "market: {feed_stalled: {max_silence_ms: 2000, severity: %s}}"
    assert [one.severity for one in judged(text % "critical", **silent)] == [Severity.P2]
    assert [one.severity for one in judged(text % "info", **silent)] == [Severity.P3]
    assert [one.severity for one in judged(text % "grave", **silent)] == [Severity.P2]


def test_a_change_is_read_and_the_last_good_one_kept(tmp_path: Path) -> None:
    path = tmp_path / "alerts.yaml"
    file = AlertsFile(path)
    assert file.read().alerting == Alerting()
    path.write_text("market: {feed_latency: {max_lag_ms: 80}}")
    first = file.read()
    assert dict(first.alerting.thresholds) == {"feed_lag_ms": 80.0}
    assert file.read() is first
    path.write_text("market: {feed_latency: {max_lag_ms: eighty}}")
    os.utime(path, ns=(1, 1))
    for _ in range(2):
        with pytest.raises(ConfigError, match=r"line 1, column 37, .*max_lag_ms must be"):
            file.read()
    path.write_text("market: {feed_latency: {max_lag_ms: 60}}")
    assert dict(file.read().alerting.thresholds) == {"feed_lag_ms": 60.0}
    path.unlink()
    with pytest.raises(ConfigError, match="is gone"):
        file.read()


def test_a_wrong_file_is_a_finding_and_the_last_good_one_counts() -> None:
    good = read("market: {feed_latency: {max_lag_ms: 80}}").alerting
    error = "alerts.yaml: line 1, column 37, market.feed_latency.max_lag_ms must be a number"
    wrong = dead(NOW, 6.0, error, good)
    memory = assess(snapshot(NOW - 1, alerting=wrong, feeds=feeds(feed("yahoo", lag_p95_ms=90.0))), SETTINGS)[1]
    found = assess(snapshot(alerting=wrong, feeds=feeds(feed("yahoo", lag_p95_ms=90.0))), SETTINGS, memory)[0].findings
    assert [(one.severity, one.summary) for one in found] == [
        (Severity.P2, "yahoo p95 90 ms > 80 ms"),
        (Severity.P3, "alerts.yaml cannot be used: line 1, column 37, market.feed_latency.max_lag_ms must be a number"),
    ]
    assert found[1].observed == "the last good one, 6.0 s old, counts"


def test_what_it_said_before_counts_also_for_a_process_that_begins_later(tmp_path: Path) -> None:
    settings = structs.replace(SETTINGS, root=tmp_path, state=tmp_path / "state")
    path, state = tmp_path / "alerts.yaml", tmp_path / "state"
    state.mkdir(mode=0o700)
    right, wrong = "market: {feed_latency: {max_lag_ms: 80}}", "market: {feed_latency: {max_lag_ms: eighty}}"
    path.write_text(wrong)
    with pytest.raises(ConfigError, match="must be a number"):
        AlertsInForce(settings).read()
    assert list(state.iterdir()) == []
    path.write_text(right)
    first = AlertsInForce(settings)
    assert first.read().alerting.trouble == ""
    (copy,) = state.iterdir()
    assert (copy.read_text(), copy.stat().st_mode & 0o777) == (right, 0o600)
    path.write_text(wrong)
    for one in (first, AlertsInForce(settings)):
        found = one.read().alerting
        assert dict(found.thresholds) == {"feed_lag_ms": 80.0} and "must be a number" in found.trouble
    (told,) = assess(snapshot(alerting=found), SETTINGS)[0].findings
    assert (told.rule, told.severity) == ("alerts_file_wrong", Severity.P3) and "cannot be used: line 1" in told.summary
    copy.chmod(0o660)
    with pytest.raises(ConfigError, match="must be a number"):
        AlertsInForce(settings).read()
    assert first.read().alerting.trouble, "this one has seen it itself"


def test_a_state_folder_is_not_made_for_it(tmp_path: Path) -> None:
    settings = structs.replace(SETTINGS, root=tmp_path, state=tmp_path / "state")
    (tmp_path / "alerts.yaml").write_text("risk: {}")
    AlertsInForce(settings).read()
    assert not (tmp_path / "state").exists()


def test_the_command_says_what_is_understood(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "alerts.yaml"
    file.write_text(THEIRS)
    assert cli.run(["alerts", "check", str(file)]) == 0
    said = capsys.readouterr().out
    assert "line 3, column 69, risk.drawdown.window: not understood" in said
    assert "OFF  system.candle_gaps" in said and "audience ops: slack, email (ops@fund.example), full" in said
    assert "verysecret" not in said
    assert cli.run(["alerts", "check", str(file), "--json"]) == 0
    assert "verysecret" not in capsys.readouterr().out
    file.write_text("risk: 1")
    assert cli.run(["alerts", "check", str(file)]) == ConfigError.exit_code
    assert "line 1, column 7, risk must be a mapping" in capsys.readouterr().err
