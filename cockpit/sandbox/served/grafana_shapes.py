"""Grafana's JSON: rules, instances and silences as its APIs show them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from cockpit.sandbox.served.grafana_rules import HELD_FOR_S, Standing
from cockpit.sandbox.served.grafana_silences import Silence, Silences

FOLDER = "Trading platform"
FOLDER_UID = "sbx-platform"
RECEIVER = "ops"
NEVER = "0001-01-01T00:00:00Z"
# Alertmanager gives alerts that nobody ends an end by itself, a few evaluations ahead.
RESOLVE_AFTER = timedelta(seconds=240)

Json = dict[str, Any]


def alert_labels(standing: Standing) -> dict[str, str]:
    """Return the labels of a rule's one alert."""
    labels = {"alertname": standing.rule.name, "grafana_folder": FOLDER, "severity": standing.rule.severity}
    if standing.state == "NoData":
        # As Grafana does: the alert is about the data source, and names the rule.
        labels |= {"alertname": "DatasourceNoData", "rulename": standing.rule.name, "datasource_uid": "sbx-redis"}
    return labels


def routed_alert(standing: Standing, silences: Silences, now: datetime) -> Json:
    """Return a firing alert as Alertmanager's API shows it."""
    labels = alert_labels(standing) | {"__alert_rule_uid__": standing.rule.uid}
    silenced_by = silences.silencing(labels, now)
    identity = "\0".join(f"{key}\1{value}" for key, value in sorted(labels.items()))
    state = "suppressed" if silenced_by else "active"
    return {
        "annotations": _annotations(standing),
        "endsAt": stamp(now + RESOLVE_AFTER),
        "fingerprint": hashlib.sha256(identity.encode()).hexdigest()[:16],
        "receivers": [{"name": RECEIVER}],
        "startsAt": stamp(standing.active_at),
        "status": {"inhibitedBy": [], "silencedBy": silenced_by, "state": state},
        "updatedAt": stamp(standing.evaluated_at),
        "labels": labels,
    }


def instance(standing: Standing) -> Json:
    """Return a rule's alert as the rules API shows it."""
    is_valued = standing.state in ("Alerting", "Pending") and standing.value is not None
    return {
        "labels": alert_labels(standing),
        "annotations": _annotations(standing),
        "state": standing.state,
        "activeAt": stamp(standing.active_at),
        "value": f"{standing.value:e}" if is_valued else "",
    }


def rule(standing: Standing, limit_alerts: int) -> Json:
    """Return a rule as the rules API shows it: without data it is `inactive`, and only its health tells."""
    states = {"Alerting": "firing", "Pending": "pending"}
    totals = {"Alerting": "alerting", "NoData": "nodata"}.get(standing.state, standing.state.lower())
    return {
        "uid": standing.rule.uid,
        "name": standing.rule.name,
        "folderUid": FOLDER_UID,
        "state": states.get(standing.state, "inactive"),
        "query": standing.rule.query,
        "duration": HELD_FOR_S,
        "labels": {"severity": standing.rule.severity},
        "annotations": {"summary": standing.summary},
        "alerts": [instance(standing)][:limit_alerts],
        "totals": {totals: 1},
        "totalsFiltered": {totals: 1},
        "health": health(standing),
        "isPaused": False,
        "type": "alerting",
        "lastEvaluation": stamp(standing.evaluated_at),
        "evaluationTime": standing.took_s,
    }


def health(standing: Standing) -> str:
    """Return ok, nodata, or unknown before the first evaluation."""
    if standing.evaluated_at is None:
        return "unknown"
    return "nodata" if standing.state == "NoData" else "ok"


def rules_answer(standings: Iterable[Standing], limit_alerts: int) -> Json:
    """Return the whole answer of the rules API."""
    groups: dict[str, list[Json]] = {}
    for standing in standings:
        groups.setdefault(standing.rule.group, []).append(rule(standing, limit_alerts))
    shown = [
        {
            "name": name,
            "file": FOLDER,
            "folderUid": FOLDER_UID,
            "rules": rules,
            "totals": _totals(rules),
            "interval": 1,
            "lastEvaluation": max(item["lastEvaluation"] for item in rules),
            "evaluationTime": max(item["evaluationTime"] for item in rules),
        }
        for name, rules in groups.items()
    ]
    every = [item for rules in groups.values() for item in rules]
    return {"status": "success", "data": {"groups": shown, "totals": _totals(every)}}


def silence(item: Silence, now: datetime) -> Json:
    """Return a silence as Alertmanager's API shows it."""
    return {
        "id": item.id,
        "status": {"state": item.state(now)},
        "updatedAt": stamp(item.updated_at),
        "comment": item.comment,
        "createdBy": item.created_by,
        "startsAt": stamp(item.starts_at),
        "endsAt": stamp(item.ends_at),
        "matchers": [
            {"name": m.name, "value": m.value, "isRegex": m.is_regex, "isEqual": m.is_equal} for m in item.matchers
        ],
    }


def stamp(moment: datetime | None) -> str:
    """Return a moment with milliseconds; Go's zero time for None."""
    if moment is None:
        return NEVER
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _annotations(standing: Standing) -> dict[str, str]:
    notes = {"summary": standing.summary}
    if standing.value is not None:
        notes["__value_string__"] = f"[ var='A' labels={{}} value={standing.value:g} ]"
    return notes


def _totals(rules: list[Json]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for item in rules:
        key = item["health"] if item["health"] in ("nodata", "error") else item["state"]
        totals[key] = totals.get(key, 0) + 1
    return totals
