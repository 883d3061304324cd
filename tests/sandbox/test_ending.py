"""Whoever stops something waits for its end, and gets it."""

from __future__ import annotations

import asyncio
import contextlib

from cockpit.sandbox.ending import end


async def test_a_task_that_has_taken_a_cancellation_for_something_else_ends_all_the_same() -> None:
    taken = []

    async def deaf() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        taken.append(1)
        await asyncio.sleep(60)

    async def failing() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            raise OSError

    tasks = [asyncio.create_task(deaf()), asyncio.create_task(failing())]
    await asyncio.sleep(0)
    await end(*tasks, None)
    assert taken and all(task.done() for task in tasks)
    await end(*tasks)
