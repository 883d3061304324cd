"""Which backends are asked, by the configuration; each is imported when it is first asked, beside the others."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cockpit.clients.bounded import in_daemon_thread
from cockpit.clock import Clock
from cockpit.config import Settings
from cockpit.model.sample import Sample
from cockpit.observe.source import Knowing, Preparing, ProbeSource, RedisSource, Source

FIRST_ANSWER_S = 4.0
"""Drivers take up to a second to import on a busy machine, and the first connection has to be made."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One probe, where it lives and when it is wanted."""

    name: str
    module: str
    probe: str
    is_configured: Callable[[Settings], bool]
    is_self_bounded: bool = False
    deadline_s: float = FIRST_ANSWER_S
    every: int = 1
    """Ticks from one question to the next, where it changes seldom."""
    is_shared: bool = True
    """Asked in the same turn as the others: on a platform that is well nearly all of a second is one sleep."""


PROBES = (
    Entry("postgres", "cockpit.probes.postgres", "PostgresProbe", lambda settings: settings.postgres is not None),
    Entry(
        "reach",
        "cockpit.probes.reach",
        "ReachProbe",
        lambda settings: any(one.probe for one in settings.venues),
        True,
        is_shared=False,
    ),
    Entry("registry", "cockpit.probes.registry", "RegistryProbe", lambda settings: True),
    Entry(
        "databases",
        "cockpit.probes.databases",
        "DatabasesProbe",
        lambda settings: settings.postgres is not None,
        every=2,
    ),
    Entry("dump", "cockpit.probes.dump", "DumpProbe", lambda settings: settings.postgres is not None),
    Entry("docker", "cockpit.probes.docker", "DockerProbe", lambda settings: settings.docker is not None),
    Entry("alerts", "cockpit.probes.alerts", "AlertsProbe", lambda settings: settings.grafana is not None),
    Entry("alerting", "cockpit.probes.alerting", "AlertingProbe", lambda settings: True),
    Entry(
        "kubernetes", "cockpit.probes.kubernetes", "KubernetesProbe", lambda settings: settings.kubernetes is not None
    ),
)
"""The slowest to import comes last."""


class Late:
    """Something of a module that is imported on a thread, and made, when it is first needed.

    Making it may fail (a secret is not where it should be): that is an error of its sample, and tried again.
    """

    def __init__(self, module: str, kind: str, settings: Settings, clock: Clock) -> None:
        self._module = module
        self._kind = kind
        self._settings = settings
        self._clock = clock
        self._made: Any = None

    async def get(self) -> Any:
        """The one instance."""
        if self._made is None:
            module = await asyncio.wrap_future(in_daemon_thread(importlib.import_module, self._module))
            if self._made is None:
                self._made = getattr(module, self._kind)(self._settings, self._clock)
        return self._made

    def late(self) -> str:
        """Why what is on its way is late; empty where nothing is known."""
        return self._made.late() if isinstance(self._made, Knowing) else ""

    def awaits(self) -> str:
        """What it cannot be asked without and is not there yet; empty where nothing is missing."""
        return self._made.awaits() if isinstance(self._made, Preparing) else ""

    async def close(self) -> None:
        """Close it, if it was ever made."""
        if self._made is not None:
            await self._made.close()


class LateProbe(Late):
    """A probe that is made when it is first asked."""

    def __init__(self, entry: Entry, settings: Settings, clock: Clock) -> None:
        super().__init__(entry.module, entry.probe, settings, clock)
        self.name = entry.name
        self.interval_s = settings.interval_s * entry.every
        self.deadline_s = entry.deadline_s

    async def read(self) -> Any:
        """The probe's answer."""
        return await (await self.get()).read()


class LateRedis(Late):
    """The Redis probes, made when first asked."""

    async def tick(self) -> dict[str, Sample[Any]]:
        """One round trip."""
        samples: dict[str, Sample[Any]] = await (await self.get()).tick()
        return samples


def sources(settings: Settings, clock: Clock) -> tuple[Source, ...]:
    """Every configured backend, Redis first."""
    found: list[Source] = []
    if settings.redis is not None:
        redis = LateRedis("cockpit.probes.redis_wall", "RedisProbes", settings, clock)
        found.append(RedisSource(redis, settings.interval_s, FIRST_ANSWER_S))
    found += [
        ProbeSource(LateProbe(entry, settings, clock), clock, entry.is_self_bounded, entry.is_shared)
        for entry in PROBES
        if entry.is_configured(settings)
    ]
    return tuple(found)
