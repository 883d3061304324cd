"""The configuration as alerts.yaml wants it."""

from __future__ import annotations

from msgspec import structs

from cockpit.config import Settings
from cockpit.model.alerting import Alerting

_last: tuple[Settings, tuple[tuple[str, float], ...], Settings] | None = None
"""It is asked for with every frame, and changes when somebody edits the file."""


def in_force(settings: Settings, alerting: Alerting | None) -> Settings:
    """The configuration with the thresholds that alerts.yaml sets: there it wins, being the platform's own."""
    global _last
    if alerting is None or not alerting.thresholds:
        return settings
    found = _last
    if found is None or found[0] is not settings or found[1] != alerting.thresholds:
        found = settings, alerting.thresholds, _with(settings, alerting)
        _last = found
    return found[2]


def _with(settings: Settings, alerting: Alerting) -> Settings:
    known = {name: value for name, value in alerting.thresholds if name in settings.thresholds.__struct_fields__}
    return structs.replace(settings, thresholds=structs.replace(settings.thresholds, **known))
