"""Reads registry.yaml: which feed should be primary and which backup."""

from __future__ import annotations

from cockpit.clients.bounded import SoloThread
from cockpit.clients.registry import RegistryFile, look_up
from cockpit.clock import Clock
from cockpit.config import Settings
from cockpit.errors import BackendError
from cockpit.model.states import Registry
from cockpit.text import clean

TIMEOUT_S = 1.5
"""A local file takes a millisecond; a hung network file system takes for ever."""


class RegistryProbe:
    """Two values out of a file that is parsed only when it changes."""

    name = "registry"
    deadline_s = TIMEOUT_S + 0.5

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._feeds = settings.feeds
        self._path = settings.below_root(settings.feeds.registry)
        self._file = RegistryFile(self._path)
        self._thread = SoloThread("the registry's file system", is_quick=True)
        self.interval_s = settings.interval_s

    @staticmethod
    def is_configured(settings: Settings) -> bool:
        """Whether there is a registry to read: it always has a place."""
        return True

    async def read(self) -> Registry:
        """The registry as it is now.

        Raises:
            BackendError: it cannot be read, or lacks a feed.
        """
        content, changed_at = await self._thread.call(TIMEOUT_S, self._file.read)
        feeds = []
        for path in (self._feeds.primary_path, self._feeds.backup_path):
            value = look_up(content, path)
            if not value:
                raise BackendError(f"{clean(self._path)} names no feed at {clean(path, 80)}")
            feeds.append(clean(value, 60))
        return Registry(primary=feeds[0], backup=feeds[1], changed_at=changed_at)

    async def close(self) -> None:
        """Nothing is held open."""
