"""Once a second, however snapshots come; told by a loop whose time the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from cockpit.screens.pulse import Pulse
from tests.ui.conftest import cockpit


class Loop(asyncio.SelectorEventLoop):
    """Its time stands still until it is moved."""

    now_s = 0.0

    def time(self) -> float:
        return self.now_s


def beats(story: Callable[[Callable[[float], Any], Pulse], Any]) -> list[float]:
    """The moments of the beats in a story, which moves the time and feeds."""
    loop, found = Loop(), list[float]()

    async def run() -> None:
        async def until(seconds: float) -> None:
            while loop.now_s < seconds - 1e-9:
                loop.now_s = round(loop.now_s + 0.05, 6)
                for _ in range(3):
                    await asyncio.sleep(0)

        await story(until, Pulse(lambda: found.append(loop.now_s), None))

    try:
        loop.run_until_complete(run())
    finally:
        loop.close()
    return found


def test_fed_once_a_second_it_beats_with_the_food() -> None:
    async def story(until: Any, pulse: Pulse) -> None:
        for moment in (1.0, 2.0, 3.1, 4.0):
            await until(moment - 0.05)
            await until(moment)
            pulse.feed()

    # Before the first food nobody knows when it comes.
    assert beats(story) == [1.0, 2.0, 3.1, 4.0]


def test_fed_all_the_time_it_beats_once_a_second() -> None:
    async def story(until: Any, pulse: Pulse) -> None:
        for tenth in range(1, 41):
            await until(tenth / 10)
            pulse.feed()

    found = beats(story)
    assert len(found) == 4
    assert all(0.85 <= after - before <= 1.1 for before, after in pairwise(found))


def test_fed_between_its_beats_it_comes_over_to_the_food() -> None:
    async def story(until: Any, pulse: Pulse) -> None:
        for moment in (1.5, 2.5, 3.5):
            await until(moment)
            pulse.feed()

    assert beats(story) == [1.0, 2.5, 3.5]


def test_not_fed_any_more_it_beats_all_the_same() -> None:
    async def story(until: Any, pulse: Pulse) -> None:
        await until(1.0)
        await until(1.9)
        pulse.feed()
        await until(5.2)

    assert beats(story) == [1.0, 1.9, 3.15, 4.15, 5.15]


async def test_ages_grow_each_second_though_no_snapshot_comes() -> None:
    """Drawn by itself once it is due, and not again for a snapshot that has just been."""
    async with cockpit() as it:
        drawn: list[float] = []
        original = it.app.overview.draw

        def draw() -> None:
            drawn.append(it.clock.passed)
            original()

        it.app.overview.draw = draw  # type: ignore[method-assign]
        for passed in (1.0, 2.0, 2.5, 3.5):
            it.clock.passed = passed
            it.app.tick()
        assert drawn == [1.0, 2.0, 3.5]
