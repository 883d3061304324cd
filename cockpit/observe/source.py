"""What the poller asks: one backend's probe, or the one round trip that serves seven of them."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from cockpit.clock import Clock
from cockpit.model.sample import Sample
from cockpit.observe.pace import Pace

REDIS_FIELDS = ("kill_switch", "venues", "flow", "feeds", "risk", "redis", "heartbeats")


class Probe(Protocol):
    """One question to one backend."""

    name: str
    interval_s: float
    deadline_s: float

    async def read(self) -> Any:
        """The answer."""

    async def close(self) -> None:
        """Let go of the connection."""


@runtime_checkable
class Knowing(Protocol):
    """A probe that knows more of a question that is late than that it is."""

    def late(self) -> str:
        """Why, or what of it has not come about; empty where nothing is known."""


@runtime_checkable
class Preparing(Protocol):
    """A probe that needs something, such as a password, before it can ask."""

    def awaits(self) -> str:
        """What of it has not come about, so that nothing was sent; empty where all is there."""


class RedisTick(Protocol):
    """All questions to Redis in one round trip."""

    async def tick(self) -> dict[str, Sample[Any]]:
        """A sample for each of REDIS_FIELDS; failures are in the samples."""

    def late(self) -> str:
        """What has not come about in time, of what is on its way."""

    async def close(self) -> None:
        """Let go of the connection."""


class Source(Protocol):
    """A backend as the poller sees it: fields of the snapshot, timing, and how to read them."""

    name: str
    fields: tuple[str, ...]
    pace: Pace

    async def read(self) -> dict[str, Sample[Any]]:
        """Samples by field; raises where nothing could be read."""

    def late(self) -> str:
        """Why what is on its way is late; empty where nothing is known."""

    def awaits(self) -> str:
        """What it cannot be asked without and is not there yet; empty where nothing is missing."""

    async def close(self) -> None:
        """Let go of the connection."""


class ProbeSource:
    """One probe, one field."""

    def __init__(self, probe: Probe, clock: Clock, is_self_bounded: bool = False, is_shared: bool = False) -> None:
        self.name = probe.name
        self.fields: tuple[str, ...] = (probe.name,)
        self.pace = Pace(probe.interval_s, probe.deadline_s, is_self_bounded, is_shared)
        self._probe = probe
        self._clock = clock

    async def read(self) -> dict[str, Sample[Any]]:
        """The probe's answer, dated to the moment it was asked for: it cannot be younger than it claims."""
        at, started = self._clock.now(), self._clock.monotonic()
        value = await self._probe.read()
        took_s = self._clock.monotonic() - started
        return {self.name: Sample.good(value, at, took_s, self.pace.stale_after_s)}

    def late(self) -> str:
        """Why what is on its way is late; empty where nothing is known."""
        return self._probe.late() if isinstance(self._probe, Knowing) else ""

    def awaits(self) -> str:
        """What it cannot be asked without and is not there yet; empty where nothing is missing."""
        return self._probe.awaits() if isinstance(self._probe, Preparing) else ""

    async def close(self) -> None:
        """Let go of the connection."""
        await self._probe.close()


class RedisSource:
    """Redis: one round trip, seven fields."""

    name = "redis"
    fields: tuple[str, ...] = REDIS_FIELDS

    def __init__(self, probes: RedisTick, interval_s: float, deadline_s: float) -> None:
        self.pace = Pace(interval_s, deadline_s)
        self._probes = probes

    async def read(self) -> dict[str, Sample[Any]]:
        """The seven samples of one tick."""
        return await self._probes.tick()

    def late(self) -> str:
        """Why what is on its way is late; empty where nothing is known."""
        return self._probes.late()

    def awaits(self) -> str:
        """What it cannot be asked without and is not there yet; empty where nothing is missing."""
        return self._probes.awaits() if isinstance(self._probes, Preparing) else ""

    async def close(self) -> None:
        """Let go of the connection."""
        await self._probes.close()
