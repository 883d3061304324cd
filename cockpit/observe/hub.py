"""Folds samples, jobs, trends and the judgement into one Snapshot after another, and tells who listens."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from cockpit.clock import Clock
from cockpit.config import Settings
from cockpit.model.finding import Assessment
from cockpit.model.sample import Sample
from cockpit.model.snapshot import Snapshot
from cockpit.observe.bell import Bell
from cockpit.observe.history import History
from cockpit.observe.hosts import host_of
from cockpit.observe.journals import Jobs
from cockpit.observe.pace import TICK_PHASE
from cockpit.observe.poller import Poller, Samples
from cockpit.observe.source import Source
from cockpit.observe.trends import points

if TYPE_CHECKING:
    from cockpit.model.incident import Incident
    from cockpit.model.job import Job
    from cockpit.model.states import Reach

SOONEST_S = 0.1
"""No two snapshots are closer together than this, whatever happens."""
JOBS_EVERY_S = 0.2
"""While a job is under way; else they are looked at with every tick, and when somebody says that they changed."""
OpenIncidents = Callable[[], "Sample[tuple[Incident, ...]]"]
"""The open incidents as last read; must not wait for a disk."""
EARLY_S = 0.005
"""A timer may wake us this much too soon; the tick is not put off for that."""

Listener = Callable[[Snapshot], None]
Beside = Callable[[], Mapping[str, Any]]
"""What the cockpit itself knows, by the snapshot's fields: what is latched, what others ask for."""
Judge = Callable[[Snapshot], tuple[Assessment, float | None]]
"""The assessment, and when a finding that is quiet already will clear."""


class Hub:
    """The one place where a snapshot is made."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        sources: Iterable[Source],
        judge: Judge,
        jobs: Jobs,
        listener: Listener,
        take_step: Callable[[], float] = lambda: 0.0,
        incidents: OpenIncidents = Sample,
        beside: Beside = dict,
        is_shown: bool = False,
    ) -> None:
        self.history = History()
        self.snapshot = Snapshot(0, clock.now(), settings.world, settings.site)
        self._settings = settings
        self._clock = clock
        self._poller = Poller(sources, clock, self._note, is_shown, partial(host_of, settings))
        self._judge = judge
        self._read_jobs = jobs
        self._listener = listener
        self._take_step = take_step
        self._open_incidents = incidents
        self._read_beside = beside
        self._beside: Mapping[str, Any] = {}
        self._jobs: tuple[Job, ...] = ()
        self._hurry = Bell()
        self._jobs_hurry = Bell()
        self._clear_at: float | None = None

    async def run(self) -> None:
        """Publish until cancelled."""
        polling = asyncio.ensure_future(self._poller.run())
        watching = asyncio.ensure_future(self._watch_jobs())
        try:
            await self._publish_on()
        finally:
            polling.cancel()
            watching.cancel()

    async def close(self) -> None:
        """Let go of every connection."""
        await self._poller.close()

    def shown(self) -> None:
        """The first answer of Redis is on the screen: the others may be asked."""
        self._poller.go_on()

    def poke(self, name: str) -> None:
        """Ask one source again at once."""
        self._poller.poke(name)

    def look_at_jobs(self) -> None:
        """They may have changed."""
        self._jobs_hurry.ring()

    async def _publish_on(self) -> None:
        due = self._clock.monotonic() + TICK_PHASE * self._settings.interval_s
        self._publish(is_tick=False)
        while True:
            await self._wait(due)
            started = self._clock.monotonic()
            is_tick = started >= due - EARLY_S
            if is_tick:
                # Whatever held us up, the tick keeps its place between the sources.
                due += self._settings.interval_s * max(1, math.ceil((started - due) / self._settings.interval_s))
            self._publish(is_tick)

    async def _wait(self, due: float) -> None:
        """Until the next tick, until something urgent happens, or until a finding is due to clear."""
        # The very first holds no answer yet: the first answer does not wait because of it.
        published = self._clock.monotonic() if self.snapshot.seq > 1 else -math.inf
        left_s = due - self._clock.monotonic()
        if self._clear_at is not None:
            left_s = min(left_s, self._clear_at - self._clock.now())
        await self._hurry.heard(left_s)
        too_soon_s = published + SOONEST_S - self._clock.monotonic()
        if too_soon_s > 0:
            await asyncio.sleep(too_soon_s)
            # Whatever else has rung meanwhile is in what is published now.
            await self._hurry.heard(0.0)

    def _publish(self, is_tick: bool) -> None:
        if is_tick and self._take_jobs():
            self._jobs_hurry.ring()
        step_s = self._take_step()
        if step_s:
            self._poller.step(step_s)
        samples: dict[str, Any] = dict(self._poller.samples)
        now = self._clock.now()
        samples.update(self._beside, jobs=self._jobs, incidents=self._open_incidents())
        snapshot = replace(self.snapshot, seq=self.snapshot.seq + 1, taken_at=now, **samples)
        if is_tick:
            with suppress(Exception):  # a chart without its newest point is no reason to go blind
                self.history.add(now, points(snapshot))
            snapshot = replace(snapshot, trends=self.history.trends())
        self.snapshot = replace(snapshot, assessment=self._assess(snapshot))
        with suppress(Exception):  # a face that fails must not blind the others, nor stop the watch
            self._listener(self.snapshot)

    def _assess(self, snapshot: Snapshot) -> Assessment:
        """The judgement; UNKNOWN, never the last one, where it fails."""
        try:
            assessment, self._clear_at = self._judge(snapshot)
        except Exception:
            self._clear_at = None
            return Assessment()
        return assessment

    def _note(self, before: Samples, after: Samples) -> None:
        """What cannot wait for the next tick: the kill switch, and a backend or broker that goes or comes back.

        Nor Redis' answer where it is so slow that it missed the tick that is there for it.
        """
        redis = after.get("redis")
        is_late = redis is not None and (redis.took_s or 0.0) > TICK_PHASE * self._settings.interval_s
        if is_late or any(_is_urgent(name, before[name], sample) for name, sample in after.items()):
            self._hurry.ring()

    async def _watch_jobs(self) -> None:
        while True:
            if self._take_jobs():
                self._hurry.ring()
            is_quiet = all(job.phase.is_over for job in self._jobs)
            await self._jobs_hurry.heard(None if is_quiet else JOBS_EVERY_S)

    def _take_jobs(self) -> bool:
        """Whether they, or what the cockpit itself knows, are others than before."""
        jobs, beside = self._current_jobs(), self._read_beside()
        if jobs == self._jobs and beside == self._beside:
            return False
        self._jobs, self._beside = jobs, beside
        self._poller.poke("redis")  # what a job did shows in Redis first
        return True

    def _current_jobs(self) -> tuple[Job, ...]:
        try:
            return self._read_jobs()
        except Exception:
            return self._jobs  # the journals' own reader reports what is wrong with them


def _is_urgent(name: str, before: Sample[Any], after: Sample[Any]) -> bool:
    if (before.error is None) != (after.error is None) or (before.value is None) != (after.value is None):
        return True
    if name == "reach":
        return _reached(before) != _reached(after)
    return name == "kill_switch" and before.value != after.value


def _reached(sample: Sample[tuple[Reach, ...]]) -> frozenset[str]:
    return frozenset(one.venue for one in sample.value or () if one.is_up)
