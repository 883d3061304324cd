"""No call to a backend lasts longer than it may: what overruns is abandoned, never waited for."""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, ClassVar, ParamSpec, TypeVar

from cockpit.errors import TimedOut

T = TypeVar("T")
P = ParamSpec("P")

IDLE_S = 5.0
"""So long a thread waits for another call."""
QUICK_S = 0.1
"""What is quick and takes longer hangs: whatever waits behind it goes on without it."""

_abandoned: set[asyncio.Future[Any]] = set()
"""The event loop holds tasks weakly: without this, one that hangs could be collected, which asyncio logs."""


async def bounded(work: Awaitable[T], timeout_s: float, what: str = "the call") -> T:
    """The result of the work, at the latest after `timeout_s`.

    Some drivers take seconds to notice that they were cancelled (psycopg up to ten), so the cancel is asked for but
    never awaited.

    Raises:
        TimedOut: it took longer; it was told to stop, and whatever becomes of it is ignored.
    """
    task = asyncio.ensure_future(work)
    try:
        is_done = await ends(task, timeout_s)
    except asyncio.CancelledError:
        abandon(task)
        raise
    if not is_done:
        abandon(task)
        raise TimedOut(f"{what} did not answer within {timeout_s:g} s")
    return task.result()


async def ends(work: asyncio.Future[Any], within_s: float) -> bool:
    """Whether it ends in time; it goes on where it does not.

    asyncio.wait, which can wait for many, costs twice as much.
    """
    if work.done() or within_s <= 0:
        return work.done()
    loop = asyncio.get_running_loop()
    waiting = loop.create_future()

    def wake(_: object = None) -> None:
        if not waiting.done():
            waiting.set_result(None)

    timer = loop.call_later(within_s, wake)
    work.add_done_callback(wake)
    try:
        await waiting
    finally:
        timer.cancel()
        work.remove_done_callback(wake)
    return work.done()


def abandon(task: asyncio.Future[Any]) -> None:
    """Ask it to stop, do not wait, and let nobody hear of its end."""
    if not task.done():
        _abandoned.add(task)
        task.cancel()
    task.add_done_callback(_consume)


def _consume(task: asyncio.Future[Any]) -> None:
    _abandoned.discard(task)
    if not task.cancelled():
        task.exception()


def in_daemon_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
    """Run it on a thread that is its own meanwhile and does not keep the process alive, as an executor's threads do."""
    future: Future[T] = Future()

    def run() -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            result = work(*args, **kwargs)
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(result)

    begin(run)
    return future


def begin(call: Callable[[], None]) -> None:
    """Have it called on a daemon thread; it raises nothing."""
    try:
        hand = _idle.pop()
    except IndexError:
        hand = _Hand()
    hand.give(call)


class _Hand:
    """A daemon thread that waits a moment for the next call after each: beginning one costs more than waking it."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        threading.Thread(target=self._run, daemon=True, name="call").start()

    def give(self, call: Callable[[], None]) -> None:
        """Have it called."""
        self._calls.put(call)

    def _run(self) -> None:
        while True:
            try:
                call = self._calls.get(timeout=IDLE_S)
            except queue.Empty:
                try:
                    _idle.remove(self)
                except ValueError:
                    continue  # somebody has just taken it: a call is on its way
                return
            call()
            del call  # with all that it holds
            _idle.append(self)


_idle: list[_Hand] = []
os.register_at_fork(after_in_child=_idle.clear)  # a child has none of the threads


class DaemonPool(ThreadPoolExecutor):
    """An event loop's default executor (it resolves names there) whose stuck calls do not keep the process alive."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """One daemon thread a call."""
        return in_daemon_thread(fn, *args, **kwargs)


class SoloThread:
    """The one call in flight to a backend whose client is synchronous.

    A thread cannot be cancelled, so a call that was abandoned and still hangs counts as in flight: the next one
    fails at once instead of piling up behind it.
    """

    def __init__(self, name: str, is_quick: bool = False) -> None:
        """Quick is what mostly takes no time, a look at a file: those of one turn of the loop share a thread."""
        self._name = name
        self._is_quick = is_quick
        self._running: _Errand | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a call is still on its way, abandoned or not."""
        return self._running is not None and not self._running.is_over

    async def call(self, timeout_s: float, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run the work on a daemon thread and await it, within the limit.

        Raises:
            TimedOut: it took longer, or an earlier call still hangs.
        """
        if self.is_busy:
            raise TimedOut(f"{self._name} hangs in an earlier call")
        loop = asyncio.get_running_loop()
        said: asyncio.Future[T] = loop.create_future()

        def expire() -> None:
            if not said.done():
                said.set_exception(TimedOut(f"{self._name} did not answer within {timeout_s:g} s"))

        self._running = errand = _Errand(said, partial(work, *args, **kwargs))
        if self._is_quick:
            _Batch.of_this_turn(loop).waiting.append(errand)
        else:
            batch = _Batch(loop)
            batch.waiting.append(errand)
            begin(batch.work)
        timer = loop.call_later(timeout_s, expire)
        try:
            return await said
        finally:
            timer.cancel()


class _Errand:
    """A call on its way, and what came of it."""

    __slots__ = ("_call", "_error", "_result", "_said", "is_over")

    def __init__(self, said: asyncio.Future[Any], call: Callable[[], Any]) -> None:
        self._said = said
        self._call = call
        self._result: Any = None
        self._error: BaseException | None = None
        self.is_over = False

    def run(self) -> None:
        """On the thread; nothing where nobody waits for it any more."""
        if not self._said.done():
            try:
                self._result = self._call()
            except BaseException as error:
                self._error = error
        self.is_over = True

    def tell(self) -> None:
        """On the loop."""
        if self._said.done():
            return
        if self._error is None:
            self._said.set_result(self._result)
        else:
            self._said.set_exception(self._error)


class _Batch:
    """Errands for one thread, told of together; if one hangs, another thread goes on with the rest."""

    _open: ClassVar[dict[asyncio.AbstractEventLoop, _Batch]] = {}

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.waiting: deque[_Errand] = deque()
        self._done: deque[_Errand] = deque()
        self._loop = loop
        self._relief: asyncio.TimerHandle | None = None

    @classmethod
    def of_this_turn(cls, loop: asyncio.AbstractEventLoop) -> _Batch:
        """The one that goes to its thread when the loop's turn ends."""
        batch = cls._open.get(loop)
        if batch is None:
            batch = cls._open[loop] = cls(loop)
            loop.call_soon(batch._close)
        return batch

    def work(self) -> None:
        """On a thread: one after the other."""
        with contextlib.suppress(IndexError):
            while True:
                errand = self.waiting.popleft()
                errand.run()
                self._done.append(errand)
        with contextlib.suppress(RuntimeError):  # the loop may have closed meanwhile
            self._loop.call_soon_threadsafe(self._tell)

    def _close(self) -> None:
        del self._open[self._loop]
        self._relieve()

    def _relieve(self) -> None:
        self._tell()
        if self.waiting:
            begin(self.work)
            self._relief = self._loop.call_later(QUICK_S, self._relieve)

    def _tell(self) -> None:
        while self._done:
            self._done.popleft().tell()
        if not self.waiting and self._relief is not None:
            self._relief.cancel()
