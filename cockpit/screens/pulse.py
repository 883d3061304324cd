"""What happens once a second: with the snapshot that comes then, so that a wall that is fed wakes once; else alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context

EVERY_S = 1.0
NEARLY_S = 0.85 * EVERY_S
"""Snapshots come once in that time, more or less."""
SILENT_S = 1.25 * EVERY_S
"""One that is only a little late is not beaten for in advance, at all its cost."""


class Pulse:
    """Beats in the running loop, in the context that it is given."""

    def __init__(self, beat: Callable[[], None], context: Context | None) -> None:
        self._beat = beat
        self._context = context
        self._loop = asyncio.get_running_loop()
        self._beaten_at = self._loop.time()
        self._next = self._in(EVERY_S)

    def feed(self) -> None:
        """A snapshot has come, and was drawn."""
        if self._loop.time() - self._beaten_at >= NEARLY_S:
            self._go(SILENT_S)
        else:
            # The next beat is to come with the next one, not between the two.
            self._next.cancel()
            self._next = self._in(SILENT_S)

    def _alone(self) -> None:
        self._go(EVERY_S)

    def _go(self, next_s: float) -> None:
        self._next.cancel()
        self._beaten_at = self._loop.time()
        self._next = self._in(next_s)
        self._beat()

    def _in(self, seconds: float) -> asyncio.TimerHandle:
        return self._loop.call_later(seconds, self._alone, context=self._context)
