"""The end of tasks that run until they are told to stop."""

from __future__ import annotations

import asyncio

AGAIN_S = 0.5


async def end(*tasks: asyncio.Task[None] | None) -> None:
    """Cancel them until they have ended, in whatever way.

    Once is not enough: a cancellation that comes together with a time-out, or an answer, in what a task awaits may be
    taken for that, and the task goes on.
    """
    left = {task for task in tasks if task is not None and not task.done()}
    while left:
        for task in left:
            task.cancel()
        ended, left = await asyncio.wait(left, timeout=AGAIN_S)
        for task in ended:
            if not task.cancelled():
                task.exception()  # nobody asks for it any more
