"""Reads alerts.yaml: thresholds, what is switched off, and who is told."""

from __future__ import annotations

from cockpit.clients.bounded import SoloThread
from cockpit.clock import Clock
from cockpit.config import Settings
from cockpit.errors import BackendError, ConfigError
from cockpit.model.alerting import Alerting
from cockpit.storage.alerts_in_force import AlertsInForce

TIMEOUT_S = 1.5
"""A local file takes a millisecond; a hung network file system takes for ever."""


class AlertingProbe:
    """The file, parsed only when it changes."""

    name = "alerting"
    deadline_s = TIMEOUT_S + 0.5

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._file = AlertsInForce(settings)
        self._thread = SoloThread("alerts.yaml's file system", is_quick=True)
        self.interval_s = settings.interval_s

    async def read(self) -> Alerting:
        """What counts now.

        Raises:
            BackendError: the file cannot be read, or is wrong, and no earlier state of it is known.
        """
        try:
            return (await self._thread.call(TIMEOUT_S, self._file.read)).alerting
        except ConfigError as error:
            # Not a matter of the cockpit's own configuration: it was asked, and the answer is wrong.
            raise BackendError(str(error)) from None

    async def close(self) -> None:
        """Nothing is held open."""
