"""The worker's own look at the platform: the same probes that feed the wall, asked now."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from cockpit.clients.bounded import bounded
from cockpit.clock import Clock
from cockpit.config import Settings
from cockpit.errors import CockpitError
from cockpit.model.sample import Sample
from cockpit.model.snapshot import Snapshot
from cockpit.text import clean

REDIS_FIELDS = frozenset(("kill_switch", "venues", "flow", "feeds", "risk", "redis", "heartbeats"))
RATED_FIELDS = frozenset(("flow", "feeds"))
"""Rates need two readings."""
PAUSE_S = 0.6
"""Between those two."""
DEADLINE_S = 6.0
"""The first question includes loading the client, up to a second on a busy machine."""


class Evidence:
    """Asks only what an action is judged by."""

    def __init__(self, settings: Settings, clock: Clock, fields: Iterable[str]) -> None:
        # alerts.yaml always: its thresholds count before the configuration's.
        wanted = frozenset(fields) | {"alerting"}
        self._clock = clock
        self._settings = settings
        self._redis_fields = wanted & REDIS_FIELDS if settings.redis is not None else frozenset()
        self._names = sorted(name for name in wanted - REDIS_FIELDS if _is_configured(settings, name))
        self._probes: dict[str, Any] = {}
        self._redis: Any = None
        self._snapshot = Snapshot(0, clock.now(), settings.world, settings.site)

    async def read(self) -> Snapshot:
        """The platform now; what did not answer stands in its sample."""
        found = await asyncio.gather(self._read_redis(), *(self._read_one(name) for name in self._names))
        samples: dict[str, Any] = {name: sample for part in found for name, sample in part.items()}
        before = self._snapshot
        self._snapshot = replace(before, seq=before.seq + 1, taken_at=self._clock.now(), **samples)
        return self._snapshot

    async def close(self) -> None:
        """Close every connection."""
        for probe in (self._redis, *self._probes.values()):
            if probe is not None:
                with suppress(CockpitError, OSError):
                    await probe.close()

    async def _read_redis(self) -> dict[str, Sample[Any]]:
        if not self._redis_fields:
            return {}
        if self._redis is None:
            self._redis = importlib.import_module("cockpit.probes.redis_wall").RedisProbes(self._settings, self._clock)
            if self._redis_fields & RATED_FIELDS:
                await self._redis.tick()
                await asyncio.sleep(PAUSE_S)
        samples: dict[str, Sample[Any]] = await self._redis.tick()
        return {name: samples[name] for name in self._redis_fields}

    async def _read_one(self, name: str) -> dict[str, Sample[Any]]:
        before: Sample[Any] = getattr(self._snapshot, name)
        at, started = self._clock.now(), self._clock.monotonic()
        try:
            if name not in self._probes:
                module = importlib.import_module(f"cockpit.probes.{name}")
                self._probes[name] = getattr(module, f"{name.title()}Probe")(self._settings, self._clock)
            value = await bounded(self._probes[name].read(), DEADLINE_S, name)
        except CockpitError as error:
            return {name: before.failed(clean(error), at, self._clock.monotonic() - started)}
        except Exception as error:
            # A mistake in one probe must not leave a job without an end.
            words = clean(f"{type(error).__name__}: {error}")
            return {name: before.failed(words, at, self._clock.monotonic() - started)}
        return {name: Sample.good(value, at, self._clock.monotonic() - started)}


def _is_configured(settings: Settings, name: str) -> bool:
    part = {"alerts": "grafana", "dump": "postgres", "databases": "postgres", "reach": "venues"}.get(name, name)
    return part in ("registry", "alerting") or bool(getattr(settings, part))
