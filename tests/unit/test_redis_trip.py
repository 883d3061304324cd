"""The trip to Redis is the network's and the server's, not what we make of the reading behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from probe_servers import CLOCK

from cockpit.clients.redis import RedisWall
from cockpit.clients.resp import Command, Reply, ReplyError
from cockpit.config import Settings
from cockpit.parts import parsed


class SlowReading:
    """A server that tells the time at once and takes its time for all else; it is loading its data."""

    def __init__(self, takes_s: float) -> None:
        self.takes_s = takes_s
        self.asked: list[str] = []

    async def ask(self, commands: Sequence[Command], timeout_s: float, **_: object) -> list[Reply]:
        names = [str(command[0]) for command in commands]
        self.asked += names
        await asyncio.sleep(0.0 if names == ["TIME"] else self.takes_s)
        known: dict[str, Reply] = {"TIME": [b"1800000000", b"0"], "INFO": b"redis_version:7.2.4\r\n"}
        return [known.get(name, ReplyError("LOADING Redis is loading the dataset in memory")) for name in names]


async def trip_ms(takes_s: float) -> float:
    wall = RedisWall(parsed(Settings, {"site": "test", "root": "/nowhere", "redis": {}}), CLOCK)
    link = SlowReading(takes_s)
    wall._link = link  # type: ignore[assignment]
    reading = await wall.read()
    assert link.asked[-3:] == ["TIME", "TIME", "INFO"]
    return reading.round_trip_ms


async def test_trip_is_that_of_a_short_question() -> None:
    assert await trip_ms(0.03) < 25


async def test_short_question_between_two_turns_of_a_busy_server_hides_nothing() -> None:
    assert await trip_ms(0.2) >= 200
