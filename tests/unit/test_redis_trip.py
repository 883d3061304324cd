"""The trip to Redis is the network's and the server's, not that of the long reading behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from probe_servers import CLOCK
from redis.exceptions import ResponseError

from cockpit.clients.redis import RedisWall
from cockpit.clients.redis_link import Command, Reply
from cockpit.config import Settings


class SlowReading:
    """A server that answers a PING at once and takes its time for all else; it is loading its data."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def ask(self, commands: Sequence[Command], timeout_s: float) -> list[Reply]:
        names = [str(command[0]) for command in commands]
        self.asked += names
        await asyncio.sleep(0.0 if names == ["PING"] else 0.2)
        known: dict[str, Reply] = {"PING": b"PONG", "TIME": [b"1800000000", b"0"], "INFO": b"redis_version:7.2.4\r\n"}
        return [known.get(name, ResponseError("LOADING Redis is loading the dataset in memory")) for name in names]


async def test_trip_is_that_of_a_ping() -> None:
    wall = RedisWall(Settings.model_validate({"site": "test", "root": "/nowhere"}), CLOCK)
    link = SlowReading()
    wall._link = link  # type: ignore[assignment]
    reading = await wall.read()
    assert reading.round_trip_ms < 100
    assert link.asked.index("PING") < link.asked.index("TIME")
