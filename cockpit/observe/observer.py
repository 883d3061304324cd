"""The thread that watches: one event loop of its own, so that nothing a backend does is ever felt on the screen."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable

from cockpit.clients.bounded import DaemonPool, abandon, bounded
from cockpit.errors import TimedOut
from cockpit.observe.hub import Hub
from cockpit.observe.poller import explain

CLOSE_WITHIN_S = 0.5


class Observer:
    """Runs a hub on a daemon thread from `start` to `stop`.

    `died` is told, on that thread, when it ends for any other reason: nobody else would notice.
    """

    def __init__(self, make_hub: Callable[[], Hub], died: Callable[[str], None] = lambda why: None) -> None:
        self._make_hub = make_hub
        self._died = died
        self._hub: Hub | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = threading.Event()
        self._task: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="observer", daemon=True)

    @property
    def hub(self) -> Hub | None:
        """The hub once the thread has made it."""
        return self._hub

    @property
    def is_running(self) -> bool:
        """Whether the thread lives."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Stop watching and let go of the connections; False when something hung on longer than that."""
        self._stopping.set()
        self.call(self._cancel)
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def call(self, act: Callable[[], object]) -> None:
        """Do something on the observing thread soon."""
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # it has just closed: nothing is left to do
                loop.call_soon_threadsafe(act)

    def _run(self) -> None:
        loop = asyncio.new_event_loop()
        # Whatever still hangs when the loop closes is abandoned on purpose: asyncio must not speak of it on the screen.
        loop.set_exception_handler(lambda *_: None)
        loop.set_default_executor(DaemonPool())
        self._loop = loop
        why = "it ended"
        try:
            loop.run_until_complete(self._watch())
        except BaseException as error:  # a thread's own report would be printed across the screen
            why = explain(error)
        if not self._stopping.is_set():
            with contextlib.suppress(Exception):
                self._died(why)
        with contextlib.suppress(Exception):
            loop.close()

    async def _watch(self) -> None:
        self._hub = self._make_hub()
        self._task = asyncio.ensure_future(self._hub.run())
        if not self._stopping.is_set():
            await asyncio.wait({self._task})
        abandon(self._task)
        with contextlib.suppress(TimedOut, Exception):
            await bounded(self._hub.close(), CLOSE_WITHIN_S, "closing")
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            abandon(task)
        await asyncio.sleep(0)
        if self._task.done() and not self._task.cancelled():
            self._task.result()

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
