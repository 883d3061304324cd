"""A bell is heard in time, once, and also by who listens only afterwards."""

from __future__ import annotations

import asyncio

from cockpit.observe.bell import Bell
from tests.unit.virtual_time import VirtualLoop, play


def test_bell_is_heard_when_it_rings_and_not_before_nor_after() -> None:
    loop = VirtualLoop()

    async def main() -> list[tuple[bool, float]]:
        bell = Bell()
        loop.call_later(0.4, bell.ring)
        return [(await bell.heard(within_s), round(loop.time(), 3)) for within_s in (0.3, 0.3, 0.0, 0.2)]

    assert play(main(), loop) == [(False, 0.3), (True, 0.4), (False, 0.4), (False, 0.6)]


def test_bell_that_rang_while_nobody_listened_is_heard_at_once_and_only_once() -> None:
    loop = VirtualLoop()

    async def main() -> tuple[bool, bool, float]:
        bell = Bell()
        bell.ring()
        bell.ring()
        return await bell.heard(None), await bell.heard(1.0), loop.time()

    assert play(main(), loop) == (True, False, 1.0)


def test_listener_that_is_cancelled_leaves_the_bell_to_the_next() -> None:
    loop = VirtualLoop()

    async def main() -> bool:
        bell = Bell()
        listening = asyncio.ensure_future(bell.heard(None))
        await asyncio.sleep(0)
        listening.cancel()
        await asyncio.sleep(0)
        bell.ring()
        return await bell.heard(None)

    assert play(main(), loop)
