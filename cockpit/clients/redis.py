"""All that the wall shows of Redis, in one question a tick, after a short one that times the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cockpit.clients.redis_batches import Together, batches_of
from cockpit.clients.redis_durability import version_of
from cockpit.clients.redis_facts import config_fields, info_fields, text
from cockpit.clients.redis_link import RedisLink
from cockpit.clients.redis_pipelines import read_hashes, read_streams
from cockpit.clients.redis_reading import KeyFault, WallReading, hash_answer
from cockpit.clients.redis_words import code_of, refusal, reply_text
from cockpit.clients.resp import Command, Reply, ReplyError
from cockpit.clock import Clock
from cockpit.config import Settings
from cockpit.errors import Denied, Refused

CONFIG_NAMES = ("appendfsync", "save", "stop-writes-on-bgsave-error")
OUR_WORK_MS = 50.0
"""Reading and parsing everything takes less than this, other threads' turns included."""
_ONLY_INFO = ("LOADING", "MASTERDOWN")
"""Error codes of a server that tells about itself but does not serve keys now."""
OLDEST = (6, 2)
SCRIPTS = tuple(Path(__file__).with_name(f"redis_{name}.lua").read_text("utf-8") for name in ("hashes", "streams"))
"""Read with this program: those of another version, put in its place while it runs, would answer otherwise."""


@dataclass(frozen=True, slots=True)
class _Ways:
    """How this server can be asked; found out when a connection is made, so that no tick tries what is denied."""

    is_seven: bool
    scripts: tuple[str, str] | None
    """The SHA-1 of redis_hashes.lua and redis_streams.lua; None where scripts are denied."""
    may_config: bool
    fault: str | None = None
    note: str | None = None

    @property
    def evalsha(self) -> str:
        """The read-only form also runs while a failover pauses writes."""
        return "EVALSHA_RO" if self.is_seven else "EVALSHA"

    def config(self) -> list[Command]:
        """CONFIG GET takes several names since 7.0."""
        if not self.may_config:
            return []
        return [("CONFIG", "GET", *CONFIG_NAMES)] if self.is_seven else [("CONFIG", "GET", n) for n in CONFIG_NAMES]


class RedisWall:
    """One connection that reads everything; not for two calls at once."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        assert settings.redis is not None
        self._clock = clock
        self._timeout_s = settings.redis.timeout_s
        self._link = RedisLink(settings.redis)
        self._hashes = hash_keys(settings)
        self._batches = batches_of(*stream_keys(settings))
        self._together = Together()
        self._ways: _Ways | None = None
        self._before: WallReading | None = None
        self._ends_at = 0.0
        self._first_at: float | None = None
        """When the first batch was answered, of those that are asked for now."""

    async def read(self) -> WallReading:
        """Everything, as of now.

        Raises:
            BackendError: Redis did not answer, or not usefully; one line for an operator. The next call starts afresh.
        """
        self._ends_at = self._clock.monotonic() + self._timeout_s
        try:
            if self._ways is None:
                self._ways = await self._greet()
            reading = await self._read(self._ways)
            if reading is None:
                self._ways = await self._greet()
                reading = await self._read(self._ways)
        except BaseException:
            self._ways = None
            raise
        if reading is None:
            raise Refused("loses the scripts that it is given: SCRIPT FLUSH over and over?")
        if reading.fault is not None:
            self._ways = None
        if reading.may_be_counted_from:
            self._before = reading
            for batch in self._batches:
                batch.count()
        return reading

    def late(self) -> str:
        """What has not come about in time, of what is on its way."""
        return self._link.late()

    def awaits(self) -> str:
        """What it cannot be asked without and is not there yet; empty where nothing is missing."""
        return self._link.awaits()

    async def close(self) -> None:
        """Close the connection."""
        self._link.drop()

    async def _ask(self, commands: Sequence[Command], in_turn: Sequence[bytes] = ()) -> list[Reply]:
        if not commands:
            return []
        limit_s = max(0.001, self._ends_at - self._clock.monotonic())
        return await self._link.ask(commands, limit_s, in_turn=in_turn, heard=self._hear if in_turn else None)

    def _hear(self, at: int, said: Reply) -> None:
        """Make something of a batch while the server works on the next."""
        if at == 0:
            self._first_at = self._clock.monotonic()
        if not isinstance(said, ReplyError):
            self._batches[at].take(said)

    async def _greet(self) -> _Ways:
        loads: list[Command] = [("SCRIPT", "LOAD", source) for source in SCRIPTS]
        replies = await self._ask([("CLIENT", "SETNAME", "cockpit"), ("INFO",), *loads, ("CONFIG", "GET", "save")])
        _, info, hashes, streams, config = replies
        version = version_of(info_fields(info))
        if version and version < OLDEST:
            raise Refused(f"Redis {'.'.join(map(str, version))} is too old: 6.2 or newer is needed")
        failed = next((reply for reply in (hashes, streams) if isinstance(reply, ReplyError)), None)
        is_seven, may_config = version >= (7,), not isinstance(config, ReplyError)
        if failed is None:
            return _Ways(is_seven, (text(hashes), text(streams)), may_config)
        if code_of(failed) in _ONLY_INFO:
            return _Ways(is_seven, None, may_config, fault=str(refusal(failed)))
        return _without_scripts(is_seven, may_config, failed)

    async def _read(self, ways: _Ways) -> WallReading | None:
        """None where the server no longer knows the scripts."""
        config = ways.config()
        # As quick as PING, and allowed wherever the reading is.
        ping_ms, _ = await self._timed([("TIME",)])
        commands = [("TIME",), ("INFO",), *config, *self._hashes_call(ways)]
        batch_ms, replies = await self._timed(commands, self._batch_calls(ways))
        clock, info, *rest = replies
        if isinstance(clock, ReplyError):
            raise refusal(clock)
        now_ms = int(clock[0]) * 1000 + int(clock[1]) // 1000
        reading = WallReading(
            now_ms=now_ms,
            before_ms=None if self._before is None else self._before.now_ms,
            round_trip_ms=trip_ms(ping_ms, batch_ms),
            info=_fault(info) if isinstance(info, ReplyError) else info_fields(info),
            config=config_fields(rest[: len(config)]),
            fault=ways.fault,
            note=ways.note,
        )
        return reading if ways.fault else await self._with_keys(reading, ways, rest[len(config) :])

    async def _timed(self, commands: Sequence[Command], in_turn: Sequence[bytes] = ()) -> tuple[float, list[Reply]]:
        """How long the answer to the commands took, with the first batch but not with all."""
        started, self._first_at = self._clock.monotonic(), None
        replies = await self._ask(commands, in_turn)
        ended = self._clock.monotonic() if self._first_at is None else self._first_at
        return (ended - started) * 1000, replies

    async def _with_keys(self, reading: WallReading, ways: _Ways, replies: list[Reply]) -> WallReading | None:
        failed = next((reply for reply in replies if isinstance(reply, ReplyError)), None)
        if failed is not None:
            if code_of(failed) == "NOSCRIPT":
                return None
            if code_of(failed) in _ONLY_INFO:
                return replace(reading, fault=str(refusal(failed)))
            if code_of(failed) == "BUSY":
                raise refusal(failed)
            self._ways = ways = _without_scripts(ways.is_seven, ways.may_config, failed)
        if ways.scripts is None:
            hashes = await read_hashes(self._ask, self._hashes)
            for batch in self._batches:
                batch.take_each(await read_streams(self._ask, batch.wanted(), reading.now_ms))
        else:
            hashes = replies[0]
        streams, anew = self._together.of(self._batches)
        return replace(
            reading,
            note=ways.note,
            hashes={key: hash_answer(raw) for key, raw in zip(self._hashes, hashes, strict=True)},
            streams=streams,
            anew=anew,
        )

    def _hashes_call(self, ways: _Ways) -> list[Command]:
        return [] if ways.scripts is None else [(ways.evalsha, ways.scripts[0], 0, *self._hashes)]

    def _batch_calls(self, ways: _Ways) -> list[bytes]:
        if ways.scripts is None:
            return []
        script = (ways.evalsha, ways.scripts[1])
        return [batch.call(script) for batch in self._batches]


def _without_scripts(is_seven: bool, may_config: bool, failed: ReplyError) -> _Ways:
    return _Ways(is_seven, None, may_config, note=f"no scripts, plain commands: {reply_text(failed)}")


def trip_ms(ping_ms: float, batch_ms: float) -> float:
    """The way there and back: what the reading takes longer is our own work, unless no work of ours takes that long.

    >>> trip_ms(0.3, 18.0), trip_ms(85.0, 230.0)
    (0.3, 230.0)
    """
    return ping_ms if batch_ms < ping_ms + OUR_WORK_MS else batch_ms


def hash_keys(settings: Settings) -> tuple[str, ...]:
    """The hashes that the wall shows."""
    part = settings.redis
    assert part is not None
    return (
        part.kill_switch_key,
        part.route_override_key,
        part.venue_status_key,
        part.limits_key,
        part.positions_key,
        part.heartbeats_key,
        part.candle_status_key,
        part.active_feed_key,
    )


def stream_keys(settings: Settings) -> tuple[dict[str, str], int]:
    """The streams that the wall shows, and what is wanted of each one's new entries; the first so many flow."""
    part = settings.redis
    assert part is not None
    wanted = {f"{part.tick_stream_prefix}{feed}": "ticks" for feed in settings.feeds.names}
    wanted[part.metrics_stream] = "newest"
    wanted |= {key: "count" for key in part.order_streams.values() if key not in wanted}
    flowing = len(wanted)
    for key in part.watched_streams:
        wanted.setdefault(key, "count")
    return wanted, flowing


def _fault(error: ReplyError) -> KeyFault:
    why = refusal(error)
    return KeyFault(str(why), isinstance(why, Denied))
