"""Asks every source at its own pace; a backend that hangs costs its own samples and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from cockpit.clients.bounded import abandon, bounded
from cockpit.clients.names import unresolved
from cockpit.clock import Clock
from cockpit.errors import NO_ANSWER, CockpitError, ConfigError, SecretLate, TimedOut
from cockpit.model.sample import Sample
from cockpit.observe.bell import Bell
from cockpit.observe.pace import Pace, phase, turns
from cockpit.observe.source import Source
from cockpit.text import clean

MOST_HANGING = 2
"""Abandoned calls of one source that may still hang before it is asked no more until one of them ends."""
CLOSE_WITHIN_S = 0.3
SUSPECT_S = 0.75
"""A question that is on its way for so long may be late because of a name: asked then, the resolver has answered, or
has not, by the time it is."""
HEAD_START_S = 0.5
"""Redis has the start for itself, for so long at most: the others' drivers take as long to import as its own answer,
and it alone says whether trading goes on. Where a screen shows it, until that is done: beside drivers that are being
imported it takes several times as long."""

_NOT_UNDERSTOOD = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What comes of an answer that nobody has thought of."""

Samples = Mapping[str, Sample[Any]]
Changed = Callable[[Samples, Samples], None]
"""Told the samples before and after, of one source, whenever it answered or failed."""


class Poller:
    """One loop a source, all in one event loop, each with its own deadline, back-off and single flight."""

    def __init__(
        self,
        sources: Iterable[Source],
        clock: Clock,
        changed: Changed,
        is_shown: bool = False,
        host_of: Callable[[str], str] = lambda source: "",
    ) -> None:
        """`host_of` answers where a source is, by its name: a host whose name nobody resolves is called that."""
        self.samples: dict[str, Sample[Any]] = {}
        self._sources = tuple(sources)
        self._clock = clock
        self._changed = changed
        self._host_of = host_of
        self._stepped_s = 0.0
        """By how much the wall clock was set since the start; what is on its way is dated without it, then moved."""
        self._paces = {source.name: source.pace for source in self._sources}
        began = clock.monotonic()
        places = turns([source.pace.is_shared for source in self._sources])
        # Who is asked in every second beat keeps to the same part of it, or a turn would not be shared.
        beat_s = min((source.pace.interval_s for source in self._sources), default=1.0)
        self._origins = {
            source.name: began + phase(at) * beat_s for at, source in zip(places, self._sources, strict=True)
        }
        """Where each source's beat begins. All are asked when the watch begins, Redis before
        all others, then one after the other."""
        self._is_shown = is_shown
        self._may_go_on = asyncio.Event()
        self._loops: set[asyncio.Task[None]] = set()
        self._is_over = False
        self._pokes = {source.name: Bell() for source in self._sources}
        self._hanging: dict[str, set[asyncio.Task[Any]]] = {source.name: set() for source in self._sources}
        for source in self._sources:
            self.samples.update(dict.fromkeys(source.fields, Sample(stale_after_s=source.pace.stale_after_s)))

    async def run(self) -> None:
        """Poll until cancelled."""
        try:
            for source in self._sources:
                self._begin(source)
                if "kill_switch" in source.fields:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(HEAD_START_S):
                            await self._may_go_on.wait()
            await asyncio.get_running_loop().create_future()
        finally:
            self._is_over = True
            for loop in tuple(self._loops):
                abandon(loop)

    async def close(self) -> None:
        """Close every source; none of them may hold it up."""
        for tasks in self._hanging.values():
            for task in tasks:
                abandon(task)
        closing = [bounded(source.close(), CLOSE_WITHIN_S, source.name) for source in self._sources]
        await asyncio.gather(*closing, return_exceptions=True)

    def go_on(self) -> None:
        """The first answer of Redis is there, or on the screen where one shows it."""
        self._may_go_on.set()

    def poke(self, name: str) -> None:
        """Ask this source again at once (by its name: redis, postgres, ...)."""
        if name in self._pokes:
            self._pokes[name].ring()

    def step(self, by_s: float) -> None:
        """Somebody set the clock: everything stays as old as it is."""
        self._stepped_s += by_s
        self.samples.update({name: sample.moved(by_s) for name, sample in self.samples.items()})

    def pace(self, name: str) -> Pace:
        """The source's pace now."""
        return self._paces[name]

    def _begin(self, source: Source, since: float | None = None) -> None:
        loop = asyncio.create_task(self._keep(source, since), name=f"poll {source.name}")
        self._loops.add(loop)
        loop.add_done_callback(self._loops.discard)

    async def _keep(self, source: Source, since: float | None) -> None:
        """Ask it again and again; first when it is time to, where its last attempt, begun at `since`, was given up."""
        if since is not None:
            await self._rest(source, since, is_ok=False)
        while True:
            started = self._clock.monotonic()
            is_ok = await self._ask(source)
            if is_ok is None:
                return
            if not self._is_shown and "kill_switch" in source.fields:
                self.go_on()
            await self._rest(source, started, is_ok)

    async def _rest(self, source: Source, started: float, is_ok: bool) -> None:
        pace = self._paces[source.name] = self._paces[source.name].after(is_ok)
        pause_s = max(0.0, pace.next_start(started, self._origins[source.name]) - self._clock.monotonic())
        await self._pokes[source.name].heard(pause_s)

    async def _ask(self, source: Source) -> bool | None:
        """One attempt: whether it brought anything; None where it was given up meanwhile, and another loop asks on.

        No task of its own for what nearly always answers at once: it is the loop that is left behind where it does not.
        """
        started, asked_at = self._clock.monotonic(), self._clock.now() - self._stepped_s
        if len(self._hanging[source.name]) >= MOST_HANGING:
            return self._fail_late(source, asked_at, 0.0)
        attempt = _Attempt(source, self._paces[source.name], started, asked_at)
        attempt.call_later(min(SUSPECT_S, attempt.pace.overdue_s), self._suspect)
        try:
            fresh = await source.read()
            return None if attempt.is_given_up else self._take(source, fresh, asked_at)
        except asyncio.CancelledError:
            if attempt.task.cancelling():
                raise
            return self._fail(source, "the call was cancelled", asked_at, self._clock.monotonic() - started)
        except Exception as error:
            if attempt.is_given_up:
                return None
            took_s = self._clock.monotonic() - started
            if isinstance(error, (TimedOut, SecretLate)):
                return self._fail_late(source, asked_at, took_s)
            return self._fail(source, explain(error), asked_at, took_s, not isinstance(error, ConfigError))
        finally:
            attempt.end()

    def _suspect(self, attempt: _Attempt) -> None:
        overdue_s, limit_s = attempt.pace.overdue_s, attempt.pace.limit_s
        self._late(attempt.source)
        rest_s = max(0.0, overdue_s - SUSPECT_S)
        attempt.call_later(rest_s, self._overdue if overdue_s < limit_s else self._give_up)

    def _overdue(self, attempt: _Attempt) -> None:
        overdue_s, limit_s = attempt.pace.overdue_s, attempt.pace.limit_s
        self._fail_late(attempt.source, attempt.asked_at, overdue_s)
        attempt.call_later(limit_s - overdue_s, self._give_up)

    def _give_up(self, attempt: _Attempt) -> None:
        attempt.is_given_up = True
        limit_s, hanging = attempt.pace.limit_s, self._hanging[attempt.source.name]
        self._fail_late(attempt.source, attempt.asked_at, limit_s)
        hanging.add(attempt.task)
        attempt.task.add_done_callback(hanging.discard)
        abandon(attempt.task)
        if not self._is_over:
            self._begin(attempt.source, attempt.started)

    def _late(self, source: Source) -> str:
        """Why it is, in the same words whichever limit runs out first: they stand on the wall for as long as it is."""
        return unresolved(self._host_of(source.name)) or source.late() or NO_ANSWER

    def _take(self, source: Source, fresh: Samples, asked_at: float) -> bool:
        at = asked_at + self._stepped_s
        before = {field: self.samples[field] for field in source.fields}
        after = {field: _dated(fresh[field], before[field], at) for field in source.fields if field in fresh}
        self.samples.update(after)
        self._changed(before, after)
        return any(sample.error is None for sample in after.values())

    def _fail_late(self, source: Source, asked_at: float, took_s: float) -> bool:
        awaited = source.awaits()
        return self._fail(source, awaited or self._late(source), asked_at, took_s, is_ready=not awaited)

    def _fail(
        self,
        source: Source,
        error: str,
        asked_at: float,
        took_s: float,
        is_asked: bool = True,
        is_ready: bool = True,
    ) -> bool:
        at = asked_at + self._stepped_s
        before = {field: self.samples[field] for field in source.fields}
        after = {
            field: sample.failed(error, at, took_s, is_asked, is_ready=is_ready) for field, sample in before.items()
        }
        self.samples.update(after)
        self._changed(before, after)
        return False


class _Attempt:
    """One question on its way, and the timer beside it."""

    def __init__(self, source: Source, pace: Pace, started: float, asked_at: float) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.task: asyncio.Task[Any] = task
        self.source = source
        self.pace = pace
        self.started = started
        self.asked_at = asked_at
        self.is_given_up = False
        self._timer: asyncio.TimerHandle | None = None

    def call_later(self, after_s: float, act: Callable[[_Attempt], None]) -> None:
        """If it is still on its way then."""
        self._timer = asyncio.get_running_loop().call_later(after_s, act, self)

    def end(self) -> None:
        """It has ended."""
        if self._timer is not None:
            self._timer.cancel()


def _dated(fresh: Sample[Any], before: Sample[Any], at: float) -> Sample[Any]:
    """Dated here, where steps of the clock are known: to the moment it was asked for, or as old as it was before."""
    if fresh.error is None:
        return fresh.dated(at, at)
    return fresh.dated(fresh.value_at if before.value_at is None else before.value_at, at)


def explain(error: BaseException) -> str:
    """What went wrong, in one line for an operator.

    >>> explain(PermissionError("no such right")), explain(ValueError("not a number"))
    ('PermissionError: no such right', 'its answer is not understood (ValueError: not a number)')
    """
    if isinstance(error, CockpitError):
        return clean(error)
    if isinstance(error, _NOT_UNDERSTOOD):
        return clean(f"its answer is not understood ({type(error).__name__}: {error})")
    return clean(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)
