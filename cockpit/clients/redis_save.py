"""What Redis holds, kept: its own save, and a copy of its file or of the keys that the configuration names."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cockpit.clients.redis_facts import Fields, config_fields, info_fields, whole
from cockpit.clients.redis_link import RedisLink
from cockpit.clients.redis_words import refusal
from cockpit.clients.resp import Command, Reply, ReplyError
from cockpit.config import RedisPart, Settings
from cockpit.errors import ConfigError, Refused, TimedOut

LOOK_S = 0.2
DUMP_TIMEOUT_S = 30.0
"""DUMP of one long stream."""
DUMP_BYTES = 1 << 30
"""Redis itself says no more than 512 MB at once."""
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
        self._link = RedisLink(settings.redis, most_bytes=DUMP_BYTES)

    async def save(self, timeout_s: float, tell: Callable[[str], None]) -> Saved:
        """BGSAVE, and wait until it is on the disk.

        Raises:
            Refused: it could not be begun, or failed.
            TimedOut: it has not ended in time.
            BackendError: Redis stopped answering.
        """
        loop = asyncio.get_running_loop()
        started, is_begun, begun_at, is_verdict_ours = loop.time(), False, 0.0, False
        while loop.time() - started < timeout_s:
            state, clock, saved = await self._ask(("INFO", "persistence"), ("TIME",), ("LASTSAVE",))
            info, now = info_fields(state), int(clock[0]) + int(clock[1]) / 1e6
            is_busy = info.get("rdb_bgsave_in_progress") != "0" or info.get("rdb_bgsave_scheduled", "0") != "0"
            # LASTSAVE counts whole seconds: begun in the second of the last one, its end would not show.
            if not is_begun and not is_busy and int(saved) < int(now):
                is_at_work = await self._begin()
                is_begun, begun_at = True, now
                is_verdict_ours = is_at_work or info.get("rdb_last_bgsave_status") == "ok"
            elif is_busy:
                is_verdict_ours = is_begun
            elif is_begun:
                if is_verdict_ours and info.get("rdb_last_bgsave_status") != "ok":
                    raise Refused("its save FAILED: its own log says why (disk full, no permission, no memory to fork)")
                if int(saved) >= int(begun_at):
                    return Saved(begun_at, loop.time() - started)
            tell(_waiting_for(info, is_busy) if is_begun else "waiting for the save before")
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

    async def _begin(self) -> bool:
        """Whether it is at work at once; while the append-only file is rewritten it has to wait for that."""
        (reply,) = await self._link.ask([("BGSAVE", "SCHEDULE")])
        # One that has begun in between ends too, and is as good.
        if isinstance(reply, ReplyError) and "in progress" not in str(reply):
            raise refusal(reply)
        return "scheduled" not in str(reply)

    async def _ask(self, *commands: Command, timeout_s: float | None = None) -> list[Reply]:
        replies = await self._link.ask(commands, timeout_s)
        for reply in replies:
            if isinstance(reply, ReplyError):
                raise refusal(reply)
        return replies


def _waiting_for(info: Fields, is_busy: bool) -> str:
    """A save that was asked for while the append-only file is rewritten begins after that, and shows nowhere till then.

    >>> _waiting_for({"aof_rewrite_in_progress": "1"}, False), _waiting_for({}, True)
    ('waiting for the rewrite of its append-only file', 'it is saving')
    """
    is_rewriting = info.get("aof_rewrite_in_progress", "0") != "0" and not is_busy
    return "waiting for the rewrite of its append-only file" if is_rewriting else "it is saving"


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
