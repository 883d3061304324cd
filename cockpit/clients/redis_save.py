"""What Redis holds, kept: its own save, and a copy of its file or of the keys that the configuration names."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from redis.exceptions import RedisError

from cockpit.clients.redis_facts import config_fields, info_fields, whole
from cockpit.clients.redis_link import Command, RedisLink, Reply
from cockpit.clients.redis_words import refusal
from cockpit.config import RedisPart, Settings
from cockpit.errors import ConfigError, Refused, TimedOut

LOOK_S = 0.2
DUMP_TIMEOUT_S = 30.0
"""DUMP of one long stream."""
LOCAL = ("127.0.0.1", "::1", "localhost", "")


@dataclass(frozen=True, slots=True)
class Saved:
    """A save that Redis made at our word."""

    begun_at: float
    """By Redis' clock: its file is at least as new."""
    took_s: float


class RedisKeeper:
    """One connection for one snapshot."""

    def __init__(self, settings: Settings) -> None:
        if settings.redis is None:
            raise ConfigError("no Redis is configured")
        self._part = settings.redis
        self._feeds = settings.feeds.names
        self._link = RedisLink(settings.redis)

    async def save(self, timeout_s: float, tell: Callable[[str], None]) -> Saved:
        """BGSAVE, and wait until it is on the disk.

        Raises:
            Refused: it could not be begun, or failed.
            TimedOut: it has not ended in time.
            BackendError: Redis stopped answering.
        """
        loop = asyncio.get_running_loop()
        started, is_begun, begun_at = loop.time(), False, 0.0
        while loop.time() - started < timeout_s:
            state, clock, saved = await self._ask(("INFO", "persistence"), ("TIME",), ("LASTSAVE",))
            info, now = info_fields(state), int(clock[0]) + int(clock[1]) / 1e6
            is_busy = info.get("rdb_bgsave_in_progress") != "0" or info.get("rdb_bgsave_scheduled", "0") != "0"
            # LASTSAVE counts whole seconds: begun in the second of the last one, its end would not show.
            if not is_begun and not is_busy and int(saved) < int(now):
                await self._begin()
                is_begun, begun_at = True, now
            elif is_begun and not is_busy:
                if info.get("rdb_last_bgsave_status") != "ok" or int(saved) < int(begun_at):
                    raise Refused("its save FAILED: its own log says why (disk full, no permission, no memory to fork)")
                return Saved(begun_at, loop.time() - started)
            tell("it is saving" if is_begun else "waiting for the save before")
            await asyncio.sleep(LOOK_S)
        raise TimedOut(f"its save has not ended in {timeout_s:.0f} s")

    async def file(self) -> Path | None:
        """Where its file is, if that is a folder of this host or the configuration says so."""
        if self._part.dump_file is not None:
            return self._part.dump_file
        parts = urlsplit(self._part.url)
        if parts.scheme != "unix" and (parts.hostname or "") not in LOCAL:
            return None
        replies = await self._link.ask([("CONFIG", "GET", "dir"), ("CONFIG", "GET", "dbfilename")])
        found = config_fields(replies)
        return Path(found["dir"]) / found["dbfilename"] if found.get("dir") and found.get("dbfilename") else None

    async def keys(self, tell: Callable[[str], None]) -> tuple[bytes, int]:
        """Every key that the configuration names, groups and what is pending included, as lines of JSON for RESTORE.

        Raises:
            BackendError: one could not be read.
        """
        lines: list[str] = []
        for key in named_keys(self._part, self._feeds):
            tell(f"copying {key}")
            dump, ttl_ms = await self._ask(("DUMP", key), ("PTTL", key), timeout_s=DUMP_TIMEOUT_S)
            if dump is not None:
                ttl = max(0, whole(ttl_ms) or 0)
                lines.append(json.dumps({"key": key, "ttl_ms": ttl, "dump": base64.b64encode(dump).decode()}))
        return "".join(f"{line}\n" for line in lines).encode(), len(lines)

    def close(self) -> None:
        """Close the connection."""
        self._link.drop()

    async def _begin(self) -> None:
        (reply,) = await self._link.ask([("BGSAVE", "SCHEDULE")])
        # One that has begun in between ends too, and is as good.
        if isinstance(reply, RedisError) and "in progress" not in str(reply):
            raise refusal(reply)

    async def _ask(self, *commands: Command, timeout_s: float | None = None) -> list[Reply]:
        replies = await self._link.ask(commands, timeout_s)
        for reply in replies:
            if isinstance(reply, RedisError):
                raise refusal(reply)
        return replies


def named_keys(part: RedisPart, feeds: Sequence[str]) -> tuple[str, ...]:
    """The keys that the platform needs, by the configuration."""
    hashes = (
        part.kill_switch_key,
        part.route_override_key,
        part.venue_status_key,
        part.limits_key,
        part.positions_key,
        part.candle_status_key,
        part.active_feed_key,
    )
    ticks = (f"{part.tick_stream_prefix}{feed}" for feed in feeds)
    streams = (*part.order_streams.values(), part.metrics_stream, *ticks, *part.watched_streams)
    return tuple(dict.fromkeys((*hashes, *streams)))
