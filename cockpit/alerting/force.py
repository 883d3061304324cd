"""The configuration as alerts.yaml wants it."""

from __future__ import annotations

from cockpit.config import Settings
from cockpit.model.alerting import Alerting


def in_force(settings: Settings, alerting: Alerting | None) -> Settings:
    """The configuration with the thresholds that alerts.yaml sets: there it wins, being the platform's own."""
    if alerting is None or not alerting.thresholds:
        return settings
    known = {name: value for name, value in alerting.thresholds if name in type(settings.thresholds).model_fields}
    return settings.model_copy(update={"thresholds": settings.thresholds.model_copy(update=known)})
