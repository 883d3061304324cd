"""The seven samples that one round trip to Redis gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cockpit.clients.redis import RedisWall
from cockpit.clients.redis_reading import WallReading
from cockpit.clock import Clock
from cockpit.config import Settings
from cockpit.errors import BackendError, CockpitError, ConfigError, Denied
from cockpit.model.sample import Sample
from cockpit.model.states import Feeds, KillSwitch
from cockpit.probes.feeds import NO_MEMORY, read_feeds
from cockpit.probes.flow import Kept, read_flow
from cockpit.probes.heartbeats import read_heartbeats
from cockpit.probes.kill_switch import SwitchMemory, attribute, read_kill_switch
from cockpit.probes.redis_server import read_redis_server
from cockpit.probes.risk import read_risk
from cockpit.probes.streams import NONE_LOST, find_lost
from cockpit.probes.venues import read_venues
from cockpit.text import clean

NAMES = ("kill_switch", "venues", "flow", "feeds", "risk", "redis", "heartbeats")


class RedisProbes:
    """Reads Redis once a tick and folds the reading into samples; keeps what rates and percentiles need."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        assert settings.redis is not None
        self._settings = settings
        self._part = settings.redis
        self._clock = clock
        self._wall = RedisWall(settings, clock)
        stale_after_s = 4 * settings.interval_s
        self._samples: dict[str, Sample[Any]] = {name: Sample(stale_after_s=stale_after_s) for name in NAMES}
        self._before: WallReading | None = None
        """What rates are counted from."""
        self._last: WallReading | None = None
        self._lost = NONE_LOST
        self._memory = NO_MEMORY
        self._still = Kept()
        self._switch: SwitchMemory | None = None

    async def tick(self) -> dict[str, Sample[Any]]:
        """A sample for each name, fresh or failed; a round trip that failed fails them all."""
        at, started = self._clock.now(), self._clock.monotonic()
        try:
            reading = await self._wall.read()
        except CockpitError as error:
            took_s = self._clock.monotonic() - started
            why, is_asked, is_denied = clean(error), not isinstance(error, ConfigError), isinstance(error, Denied)
            is_ready = not self.awaits()
            self._samples = {
                name: one.failed(why, at, took_s, is_asked, is_denied, is_ready) for name, one in self._samples.items()
            }
            return dict(self._samples)
        took_s = self._clock.monotonic() - started
        if reading.fault is None:
            self._lost, self._last = find_lost(reading, self._last, self._lost), reading
        for name, read in self._readers(reading).items():
            self._samples[name] = self._sample(name, read, at, took_s)
        if reading.may_be_counted_from:
            self._before = reading
        return dict(self._samples)

    def late(self) -> str:
        """What has not come about in time, of what is on its way."""
        return self._wall.late()

    def awaits(self) -> str:
        """What it cannot be asked without and is not there yet; empty where nothing is missing."""
        return self._wall.awaits()

    async def close(self) -> None:
        """Close the connection."""
        await self._wall.close()

    def _readers(self, reading: WallReading) -> dict[str, Callable[[], Any]]:
        part = self._part
        return {
            "kill_switch": lambda: self._kill_switch(reading),
            "venues": lambda: read_venues(reading, self._settings),
            "flow": lambda: read_flow(reading, self._lost, part, self._still),
            "feeds": lambda: self._feeds(reading),
            "risk": lambda: read_risk(reading, part),
            "redis": lambda: read_redis_server(reading, self._before),
            "heartbeats": lambda: read_heartbeats(reading, part),
        }

    def _feeds(self, reading: WallReading) -> Feeds:
        feeds, self._memory = read_feeds(reading, self._memory, self._lost, self._settings)
        return feeds

    def _kill_switch(self, reading: WallReading) -> KillSwitch:
        self._switch = attribute(read_kill_switch(reading, self._part), self._switch, self._clock.now())
        return self._switch.told

    def _sample(self, name: str, read: Callable[[], Any], at: float, took_s: float) -> Sample[Any]:
        before = self._samples[name]
        try:
            value = read()
        except BackendError as error:
            return before.failed(clean(error), at, took_s, is_denied=isinstance(error, Denied))
        except Exception as error:
            # A mistake of ours, or a server that answers as no Redis does: it must not blind the other samples.
            return before.failed(clean(f"{type(error).__name__}: {error}"), at, took_s)
        return Sample.good(value, at, took_s, before.stale_after_s)
