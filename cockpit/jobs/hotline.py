"""A warm line to Redis on a loop and a thread of its own: nothing that is busy or hung elsewhere delays a halt."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

from actions.kill_switch.intent import Write
from cockpit.clients.redis_write import RedisWriter
from cockpit.config import RedisPart
from cockpit.errors import CockpitError
from cockpit.jobs.strike import Outcome, strike
from cockpit.text import clean

T = TypeVar("T")
WARM_S = 5.0


class Hotline:
    """Opened once; its calls may come from any thread."""

    def __init__(
        self,
        part: RedisPart,
        beat: Callable[[], Awaitable[None]],
        watch: Callable[[], Coroutine[Any, Any, None]] | None = None,
    ) -> None:
        """`beat` is called every few seconds, with the keep-alive; `watch` runs as long as the line is open."""
        self.error = ""
        """What was wrong with the last beat; empty if nothing."""
        self._beat = beat
        self._writer = RedisWriter(part)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="cockpit-hotline", daemon=True)
        self._thread.start()
        self.tell(self._keep_warm())
        if watch is not None:
            self.tell(watch())

    def strike(self, write: Write) -> Future[Outcome]:
        """Write the kill switch."""
        return self.tell(strike(self._writer, write))

    def tell(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Run it on the line's own loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def close(self, timeout_s: float) -> None:
        """Close the connections and end the thread; waits no longer than told."""
        with suppress(TimeoutError, RuntimeError):
            self.tell(self._hang_up()).result(timeout_s)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout_s)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    async def _keep_warm(self) -> None:
        while True:
            with suppress(CockpitError):
                await self._writer.keepalive()
            try:
                await self._beat()
            except Exception as error:  # whatever it is, the line stays warm and what is owed is tried again
                self.error = clean(f"{type(error).__name__}: {error}")
            else:
                self.error = ""
            await asyncio.sleep(WARM_S)

    async def _hang_up(self) -> None:
        await self._writer.close()
        for task in asyncio.all_tasks():
            if task is not asyncio.current_task():
                task.cancel()
        await asyncio.sleep(0)
