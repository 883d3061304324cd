"""What somebody waits for with a limit: rung at most once a wait, and heard by the next one if nobody waits now."""

from __future__ import annotations

import asyncio


class Bell:
    """Of one event loop, for one listener.

    An event that is waited for with a limit costs a task and its cancelling each time; the watch waits all the time.
    """

    def __init__(self) -> None:
        self._is_rung = False
        self._listening: asyncio.Future[None] | None = None

    def ring(self) -> None:
        """On the loop's thread."""
        self._is_rung = True
        self._wake()

    async def heard(self, within_s: float | None) -> bool:
        """Whether it was rung, now or since the last wait; None: however long it takes."""
        if not self._is_rung and (within_s is None or within_s > 0):
            loop = asyncio.get_running_loop()
            self._listening = loop.create_future()
            timer = None if within_s is None else loop.call_later(within_s, self._wake)
            try:
                await self._listening
            finally:
                self._listening = None
                if timer is not None:
                    timer.cancel()
        was_rung, self._is_rung = self._is_rung, False
        return was_rung

    def _wake(self) -> None:
        if self._listening is not None and not self._listening.done():
            self._listening.set_result(None)
