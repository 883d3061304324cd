"""Grafana's alerts: what it found by itself, and where it is blind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cockpit.model.alerting import Alerting
from cockpit.model.severity import Severity
from cockpit.severity import sections
from cockpit.severity.rule import Hit, View, rule

if TYPE_CHECKING:
    from cockpit.model.backends import AlertRule, Alerts

ANSWERS = (
    (re.compile(r"var\b|\bes\b|shortfall|drawdown|risk|exposure", re.IGNORECASE), sections.RISK),
    (re.compile(r"redis", re.IGNORECASE), sections.REDIS),
    (re.compile(r"postgres|database|\bdb\b", re.IGNORECASE), sections.POSTGRES),
    (re.compile(r"latency|feed|tick|candle|market data", re.IGNORECASE), sections.FEED),
    (re.compile(r"broker|venue|order|ibkr|zerodha", re.IGNORECASE), sections.BROKER),
)
"""Which section answers an alert, by its name; the first match counts."""


@rule("alerts", panel="alerts")
def alert_firing(view: View, alerts: Alerts) -> Iterator[Hit]:
    """A rule of Grafana fires; its class is by its label, for what is P1 the cockpit sees by itself."""
    for alert in alerts.rules:
        if alert.state in ("firing", "recovering"):
            yield Hit(
                alert.name,
                view.settings.alerting.severity(alert.severity),
                f"alert {alert.state}: {alert.name}",
                alert.state,
                "normal",
                section=_section(alert),
                since=None if alert.since_s is None else view.now - alert.since_s,
            )


@rule("alerting", panel="alerts")
def alerts_file_wrong(view: View, alerting: Alerting) -> Iterator[Hit]:
    """Somebody changed alerts.yaml, and what it says now is not in force."""
    if alerting.trouble:
        why = alerting.trouble.removeprefix("alerts.yaml: ")
        yield Hit(
            "alerts.yaml", Severity.P3, f"alerts.yaml cannot be used: {why}", "what it said before counts", "right"
        )


@rule("alerting", panel="alerts")
def notices_unsent(view: View, alerting: Alerting) -> Iterator[Hit]:
    """Somebody relies on being told of P1 and P2, and there is no way to tell them."""
    wanted = view.settings.alerting.automatic if alerting.is_automatic else ()
    missing = [name for name in wanted if not alerting.reaches(name)]
    if missing:
        severity = Severity.P3 if len(missing) == len(wanted) else Severity.P4
        names = ", ".join(missing)
        yield Hit("notices", severity, f"alerts.yaml has no way to tell {names} by itself", names, "a way to each")


@rule("alerts", panel="alerts", section=sections.PLATFORM)
def alerts_blind(view: View, alerts: Alerts) -> Iterator[Hit]:
    """Rules without data watch nothing."""
    found = [alert for alert in alerts.rules if alert.state == "nodata"]
    blind = [alert.name for alert in found]
    if blind:
        oldest_s = max((alert.since_s for alert in found if alert.since_s is not None), default=None)
        noun = "alert rule has" if len(blind) == 1 else "alert rules have"
        summary = f"NoData: {len(blind)} {noun} no data: {', '.join(blind)}"
        yield Hit(alerts.source, Severity.P3, summary, f"{len(blind)} NoData", "0", since=view.ago(oldest_s))


@rule("alerts", panel="alerts", section=sections.PLATFORM)
def alerts_failing(view: View, alerts: Alerts) -> Iterator[Hit]:
    """Rules that cannot be evaluated watch nothing."""
    failing = [alert.name for alert in alerts.rules if alert.state == "error"]
    if failing:
        noun = "rule fails" if len(failing) == 1 else "rules fail"
        summary = f"{len(failing)} alert {noun}: {', '.join(failing)}"
        yield Hit(alerts.source, Severity.P3, summary, f"{len(failing)} in error", "0")


@rule("alerts", panel="alerts", section=sections.PLATFORM)
def alerts_unknown(view: View, alerts: Alerts) -> Iterator[Hit]:
    """Rules in a state that nobody knows are not normal."""
    unknown = [alert.name for alert in alerts.rules if alert.state == "unknown"]
    if unknown:
        noun = "alert rule" if len(unknown) == 1 else "alert rules"
        summary = f"{len(unknown)} {noun} in no known state: {', '.join(unknown)}"
        yield Hit(alerts.source, Severity.P3, summary, f"{len(unknown)} unknown", "0")


@rule("alerts", panel="alerts", section=sections.PLATFORM)
def alerts_absent(view: View, alerts: Alerts) -> Iterator[Hit]:
    """Without rules, or without the right to see them, nothing is watched there."""
    if not alerts.has_rules:
        yield Hit(
            alerts.source, Severity.P3, f"{alerts.source} shows no alert rules: it watches nothing", "0 rules", "1"
        )


@rule("alerts", panel="alerts", section=sections.PLATFORM)
def grafana_database(view: View, alerts: Alerts) -> Iterator[Hit]:
    """Grafana answers without its database."""
    if not alerts.is_database_ok:
        yield Hit(alerts.source, Severity.P3, f"{alerts.source}: its database fails", "failing", "ok")


@rule("alerting", panel="alerts")
def rules_off(view: View, alerting: Alerting) -> Iterator[Hit]:
    """What is not judged cannot be called well."""
    if alerting.switched_off:
        names = ", ".join(alerting.switched_off)
        summary = f"off in alerts.yaml: {names}"
        yield Hit("alerts.yaml", Severity.P4, summary, f"{len(alerting.switched_off)} off", "0", is_expected=True)


def _section(alert: AlertRule) -> str | None:
    text = f"{alert.name} {alert.summary or ''}"
    return next((number for pattern, number in ANSWERS if pattern.search(text)), None)


RULES = (
    alert_firing,
    alerts_file_wrong,
    notices_unsent,
    alerts_blind,
    alerts_failing,
    alerts_unknown,
    alerts_absent,
    grafana_database,
    rules_off,
)
