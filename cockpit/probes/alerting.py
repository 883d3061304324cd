"""Reads alerts.yaml: thresholds, what is switched off, and who is told."""

from __future__ import annotations

from cockpit.alerting.file import AlertsFile
from cockpit.clients.bounded import SoloThread
from cockpit.clock import Clock
from cockpit.config import Settings
from cockpit.errors import BackendError, ConfigError
from cockpit.model.alerting import Alerting

TIMEOUT_S = 1.5
"""A local file takes a millisecond; a hung network file system takes for ever."""


class AlertingProbe:
    """The file, parsed only when it changes."""

    name = "alerting"
    deadline_s = TIMEOUT_S + 0.5

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._file = AlertsFile(settings.below_root(settings.alerting.file))
        self._thread = SoloThread("alerts.yaml's file system")
        self.interval_s = settings.interval_s

    async def read(self) -> Alerting:
        """The file as it is now.

        Raises:
            BackendError: it cannot be read, or is wrong; what was read last stands.
        """
        try:
            return (await self._thread.call(TIMEOUT_S, self._file.read)).alerting
        except ConfigError as error:
            # Not a matter of the cockpit's own configuration: it was asked, and the answer is wrong.
            raise BackendError(str(error)) from None

    async def close(self) -> None:
        """Nothing is held open."""
