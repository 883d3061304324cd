"""The protective write to Redis: a warm connection of its own, an answer only after the server's, and proof."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from cockpit.clients.redis_durability import QUESTIONS, Durability, durability_of, proof_of
from cockpit.clients.redis_facts import Fields, fields, text
from cockpit.clients.redis_link import RedisLink
from cockpit.clients.redis_orders import MAX_ORDERS, ValidatedOrder, risky_order
from cockpit.clients.redis_words import refusal
from cockpit.clients.resp import Command, Reply, ReplyError
from cockpit.config import RedisPart
from cockpit.errors import ConfigError, Refused

POLL_S = 0.2
Judge = Callable[[Fields], bool]
"""Whether this kill switch may be written over."""


class RedisWriter:
    """Writes that protect. No call waits behind another: a keep-alive that hangs does not delay the kill switch."""

    def __init__(self, part: RedisPart) -> None:
        self._part = part
        self._idle: RedisLink | None = None
        self._wrote: RedisLink | None = None
        self._written_ms: int | None = None

    @property
    def written_ms(self) -> int | None:
        """Redis' own time at the last successful write."""
        return self._written_ms

    async def connect(self) -> None:
        """Open the connection ahead of its use.

        Raises:
            BackendError: it could not be opened.
        """
        await self.keepalive()

    async def keepalive(self) -> None:
        """Use the connection once, opening it where it is closed; call it every few seconds.

        Raises:
            BackendError: Redis did not answer.
        """
        await self._ask(("TIME",))

    async def close(self) -> None:
        """Close the connections."""
        for link in (self._idle, self._wrote):
            if link is not None:
                link.drop()
        self._idle = self._wrote = None

    async def set_kill_switch(
        self, enabled: bool, by: str, reason: str, ts_ms: int, may_replace: Judge | None = None
    ) -> None:
        """Write the whole kill switch in one command; returns only after the server took it.

        With `may_replace`, only over what it accepts: nobody can write in between.

        Raises:
            Unreachable, TimedOut: where its `was_sent` says so it may have been written all the same; read it back.
            Refused: it was not written; the text holds the server's own words (READONLY, OOM, MISCONF).
        """
        flag = "true" if enabled else "false"
        write = ("HSET", self._part.kill_switch_key, "enabled", flag, "reason", reason, "by", by, "ts", str(ts_ms))
        link = self._take()
        try:
            if may_replace is None:
                written, clock = await link.ask([write, ("TIME",)])
            else:
                written, clock = await self._replace(link, write, may_replace)
            _raise_refused(written)
        except BaseException:
            self._give_back(link)
            raise
        # WAITAOF answers for the writes of its own connection only: this one is kept for wait_durable.
        self._give_back(self._wrote)
        self._wrote = link
        # It is written, whatever the server says to the second question.
        self._written_ms = None if isinstance(clock, ReplyError) else _clock_ms(clock)

    async def _replace(self, link: RedisLink, write: Command, may_replace: Judge) -> tuple[Reply, Reply]:
        key = self._part.kill_switch_key
        try:
            watched, found = await link.ask([("WATCH", key), ("HGETALL", key)])
            _raise_refused(watched)
            _raise_refused(found)
            if not may_replace(fields(found)):
                raise Refused("the kill switch is no longer the one that was seen")
            # By itself: where transactions are denied, what follows it would be done at once.
            (begun,) = await link.ask([("MULTI",)], may_reopen=False)
            _raise_refused(begun)
            queued, done, clock = await link.ask([write, ("EXEC",), ("TIME",)], may_reopen=False)
            _raise_refused(queued)
            _raise_refused(done)
            if done is None:
                raise Refused("the kill switch was changed at this very moment: look at it again")
        except Refused:
            # With the connection ends the watch.
            link.drop()
            raise
        return done[0], clock

    async def read_kill_switch(self) -> Fields:
        """The hash as it stands, empty where the key is missing; not yet neutralised text.

        Raises:
            BackendError: it could not be read.
        """
        (reply,) = await self._ask(("HGETALL", self._part.kill_switch_key))
        return fields(reply)

    async def read_switch(self) -> tuple[Fields, bool]:
        """The same, and whether this Redis is a replica; where the role may not be asked it is not known to be one.

        Raises:
            BackendError: it could not be read.
        """
        reply, role = await self._ask(("HGETALL", self._part.kill_switch_key), ("ROLE",), may_refuse=True)
        _raise_refused(reply)
        return fields(reply), isinstance(role, list) and text(role[0]) == "slave"

    async def now_ms(self) -> int:
        """Redis' own clock.

        Raises:
            BackendError: Redis did not answer.
        """
        (reply,) = await self._ask(("TIME",))
        return _clock_ms(reply)

    async def durability(self) -> Durability:
        """What a write survives here.

        Raises:
            BackendError: Redis did not answer.
        """
        return durability_of(await self._ask(*QUESTIONS, may_refuse=True))

    async def wait_durable(self, timeout_s: float) -> str | None:
        """Why the last write survives a crash, in words, as soon as that is proven; None if it is not in time.

        Raises:
            BackendError: Redis stopped answering, or the connection that wrote was lost.
        """
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + timeout_s
        if self._written_ms is None:
            return None
        durability = await self.durability()
        if durability.has_waitaof:
            return await self._wait_aof(max(0.001, ends_at - loop.time()))
        while (proof := proof_of(durability, self._written_ms / 1000, await self.now_ms() / 1000)) is None:
            if not durability.can_last or loop.time() + POLL_S > ends_at:
                return None
            await asyncio.sleep(POLL_S)
            durability = await self.durability()
        return proof

    async def _wait_aof(self, timeout_s: float) -> str | None:
        if self._wrote is None:
            return None
        command = ("WAITAOF", 1, 0, max(1, int(timeout_s * 1000)))
        (reply,) = await self._wrote.ask([command], timeout_s + self._part.timeout_s, may_reopen=False)
        _raise_refused(reply)
        return "flushed to the append-only file" if reply[0] >= 1 else None

    async def newest_validated_id(self) -> str:
        """The newest entry's id of the stream of validated orders; 0-0 where it is empty."""
        (entries,) = await self._ask(("XREVRANGE", self._validated(), "+", "-", "COUNT", 1))
        return text(entries[0][0]) if entries else "0-0"

    async def validated_since(self, stream_id: str) -> list[ValidatedOrder]:
        """Orders validated after this entry id that are not known to be reduce-only; at most 1,000 are looked at.

        Raises:
            BackendError: the stream could not be read.
        """
        (entries,) = await self._ask(("XRANGE", self._validated(), f"({stream_id}", "+", "COUNT", MAX_ORDERS))
        return [order for entry in entries if (order := risky_order(entry)) is not None]

    def _validated(self) -> str:
        stream = self._part.order_streams.get("validated")
        if stream is None:
            raise ConfigError("redis.order_streams names no stream for `validated`")
        return stream

    def _take(self) -> RedisLink:
        link, self._idle = self._idle, None
        return link or RedisLink(self._part)

    def _give_back(self, link: RedisLink | None) -> None:
        if self._idle is None:
            self._idle = link
        elif link is not None:
            link.drop()

    async def _ask(self, *commands: Command, may_refuse: bool = False) -> list[Reply]:
        link = self._take()
        try:
            replies = await link.ask(commands)
        finally:
            self._give_back(link)
        if not may_refuse:
            for reply in replies:
                _raise_refused(reply)
        return replies


def _raise_refused(reply: Reply) -> None:
    if isinstance(reply, ReplyError):
        raise refusal(reply)


def _clock_ms(reply: Reply) -> int:
    """TIME: seconds and microseconds."""
    _raise_refused(reply)
    return int(reply[0]) * 1000 + int(reply[1]) // 1000
