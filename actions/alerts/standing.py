"""What the steps on alerts share: an alert and a silence as they were read, and whether they were."""

from __future__ import annotations

from actions.checks import FAIL, evidence_error
from cockpit.config import Settings
from cockpit.model.backends import AlertRule, Silence
from cockpit.model.plan import Check
from cockpit.model.snapshot import Snapshot


def alert(snapshot: Snapshot, name: str) -> AlertRule | None:
    """The alert of that name."""
    rules = snapshot.alerts.value.rules if snapshot.alerts.value else ()
    return next((rule for rule in rules if rule.name == name), None)


def silences(snapshot: Snapshot) -> tuple[Silence, ...]:
    """Those that are in force."""
    return snapshot.alerts.value.silences if snapshot.alerts.value else ()


def present(snapshot: Snapshot, silence_id: object, mark: str) -> Silence | None:
    """Our silence, by its id or by the mark in its comment."""
    found = silences(snapshot)
    return next((one for one in found if one.id == silence_id or one.comment.endswith(f"({mark})")), None)


def unanswered(settings: Settings, snapshot: Snapshot, now: float) -> Check | None:
    """Why there is nothing to judge by; None where there is."""
    if settings.grafana is None:
        return Check("alerting", FAIL, "no Grafana or Alertmanager is configured")
    unknown = evidence_error("alerting answers", snapshot.alerts, now)
    if unknown is None and snapshot.alerts.value is not None and snapshot.alerts.value.silences_error:
        words = f"silences cannot be read: {snapshot.alerts.value.silences_error}"
        return Check("silences", FAIL, words, snapshot.alerts.age_s(now))
    return unknown
