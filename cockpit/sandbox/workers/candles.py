"""The candle aggregator: five-second candles from the ticks of the feed in use, in Redis hashes `candles:<symbol>`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from cockpit.sandbox.worker import WorkerContext
from cockpit.sandbox.workers.candle_building import CandleBuilder
from cockpit.sandbox.workers.cycle import Every, Pace, beat, run_cycles, say
from cockpit.sandbox.workers.gateway import primary_feed
from cockpit.sandbox.workers.instruments import SYMBOLS
from cockpit.sandbox.workers.redis_line import Command, RedisLine, RedisRefused, now_ms
from cockpit.sandbox.workers.streams import decode, entry_key, taken, ticks

INTERVAL_S = 5
KEPT = 720
GRACE_MS = 1_000
"""How long after its end a slot still waits for late ticks."""
DUE_MS = 2_500
"""After so long without its candle a slot is a gap; a busy machine closes slots somewhat late."""
MOST_LISTED = 20
READS_PER_S = 4
COUNT = 1_000
GROUP = "candles"
UNFILLABLE = "candles:unfillable"
"""Where the gap filler names the slots, `<symbol>:<slot>` by slot, for which no feed has a tick."""


def candle_key(symbol: str) -> str:
    """The hash of a symbol's candles: open time in milliseconds -> candle."""
    return f"candles:{symbol}"


class Aggregator:
    """Follows the active feed's stream and closes slots by the clock, once it has read everything."""

    def __init__(self, context: WorkerContext) -> None:
        self._context = context
        self._interval_ms = int(context.options.get("interval_s", INTERVAL_S)) * 1000
        self._line = RedisLine(context.layout.ports.redis, context.pump)
        self._builder = CandleBuilder(self._interval_ms)
        self._feed = ""
        self._first_ms: dict[str, int] = {}
        self._last_ms = 0
        self._pace = Pace(1 / READS_PER_S)
        self._second = Every(1.0)

    def recover(self) -> None:
        """Go on where the group stands; the slots that were open are read again from the stream."""
        self._follow(self._active_feed())
        keys = self._line.ask(*(("HKEYS", candle_key(symbol)) for symbol in SYMBOLS))
        slots = {symbol: [int(name) for name in names] for symbol, names in zip(SYMBOLS, keys, strict=True) if names}
        self._first_ms = {symbol: min(each) for symbol, each in slots.items()}
        self._last_ms = max((max(each) for each in slots.values()), default=0)

    def cycle(self) -> None:
        """Read what has come, close what is over."""
        self._pace.wait()
        feed = self._active_feed()
        if feed != self._feed:
            self._follow(feed)
        commands: list[Command] = []
        if GROUP not in self._context.knobs.paused_groups:
            self._read_all()
            commands += self._close_slots(now_ms())
        if commands:
            self._line.ask(*commands)
        if self._second.is_due():
            self._line.ask(("HSET", "candles:status", *self._status(now_ms())), beat("candles"))

    def _active_feed(self) -> str:
        named = self._line.ask(("HGET", "ingest:active", "feed"))[0]
        return named or self._feed or primary_feed(self._context.layout)

    def _follow(self, feed: str) -> None:
        """Read this feed; a group left on another would look like a consumer that has died."""
        if self._feed and self._feed != feed:
            say(f"candles: now from {feed}")
            self._forget(self._feed)
        self._feed, self._builder = feed, CandleBuilder(self._interval_ms)
        now = now_ms()
        begin = self._builder.slot(now - GRACE_MS)
        try:
            self._line.ask(("XGROUP", "CREATE", ticks(feed), GROUP, f"{begin}-0", "MKSTREAM"))
        except RedisRefused as error:
            if error.code != "BUSYGROUP":
                raise
            self._read_again()

    def _forget(self, feed: str) -> None:
        try:
            self._line.ask(("XGROUP", "DESTROY", ticks(feed), GROUP))
        except RedisRefused:
            return  # that stream is gone, and its group with it

    def _read_again(self) -> None:
        """Rebuild the slots that were open when the group was read last."""
        groups = self._line.ask(("XINFO", "GROUPS", ticks(self._feed)))[0]
        named = [dict(zip(group[::2], group[1::2], strict=True)) for group in groups]
        upto = next(group["last-delivered-id"] for group in named if group["name"] == GROUP)
        begin = self._builder.slot(max(0, entry_key(upto)[0] - GRACE_MS - self._interval_ms))
        for _, fields in self._line.ask(("XRANGE", ticks(self._feed), f"{begin}-0", upto))[0]:
            tick = decode(fields)
            if int(tick.get("ts_ms", 0)) >= begin:
                self._add(tick)

    def _read_all(self) -> None:
        while self._context.pump():
            # NOACK: an aggregator that dies reads its open slots again, so nothing needs to stay pending.
            how = ("COUNT", COUNT, "NOACK", "STREAMS", ticks(self._feed), ">")
            entries = taken(self._line.ask(("XREADGROUP", "GROUP", GROUP, f"{GROUP}-1", *how))[0])
            for _, _, tick in entries:
                self._add(tick)
            if len(entries) < COUNT:
                return

    def _add(self, tick: dict[str, Any]) -> None:
        symbol, price, ts_ms = tick.get("symbol"), tick.get("price"), tick.get("ts_ms")
        if symbol in SYMBOLS and isinstance(price, float) and isinstance(ts_ms, int):
            self._builder.add(str(symbol), price, ts_ms, self._feed)

    def _close_slots(self, at_ms: int) -> list[Command]:
        commands: list[Command] = []
        for slot, symbol, candle in self._builder.closed(at_ms - GRACE_MS):
            # Where a candle is there already (a gap was filled, or this is a second reading) it stands.
            text = json.dumps(candle.fields(), separators=(",", ":"))
            commands.append(("HSETNX", candle_key(symbol), slot, text))
            self._first_ms.setdefault(symbol, slot)
            self._last_ms = max(self._last_ms, slot)
        horizon = self._newest_due(at_ms) - (KEPT - 1) * self._interval_ms
        if commands:
            commands.append(("ZREMRANGEBYSCORE", UNFILLABLE, "-inf", f"({horizon}"))
        for symbol, first in self._first_ms.items():
            if first < horizon:
                old = range(first, horizon, self._interval_ms)
                commands.append(("HDEL", candle_key(symbol), *old))
                self._first_ms[symbol] = horizon
        return commands

    def _newest_due(self, at_ms: int) -> int:
        """The newest slot that should have its candle by now."""
        return self._builder.slot(at_ms - DUE_MS) - self._interval_ms

    def _status(self, at_ms: int) -> list[str | int]:
        symbols = list(self._first_ms)
        lengths = self._line.ask(*(("HLEN", candle_key(symbol)) for symbol in symbols)) if symbols else []
        newest = max(self._newest_due(at_ms), self._last_ms)
        missing = 0
        for symbol, count in zip(symbols, lengths, strict=True):
            expected = (newest - self._first_ms[symbol]) // self._interval_ms + 1
            missing += max(0, expected - int(count))
        found = self._unfillable(newest) if missing else []
        unfillable = min(missing, len(found))
        made: list[str | int] = ["interval_s", self._interval_ms // 1000, "last_ms", self._last_ms]
        gaps = self._gaps(newest) if missing > unfillable else ""
        made += ["missing", missing - unfillable, "unfillable", unfillable, "unfillable_ms", max(found, default="")]
        return [*made, "gaps", gaps]

    def _gaps(self, newest: int) -> str:
        """The slots without a candle that may still get one, a line a stretch, as the gap filler lists them."""
        given_up = set(self._line.ask(("ZRANGEBYSCORE", UNFILLABLE, "-inf", newest))[0])
        keys = self._line.ask(*(("HKEYS", candle_key(symbol)) for symbol in self._first_ms))
        together: dict[tuple[int, int], list[str]] = {}
        for (symbol, first), names in zip(self._first_ms.items(), keys, strict=True):
            have = {int(name) for name in names}
            slots = [slot for slot in range(first, newest + 1, self._interval_ms) if slot not in have]
            for stretch in stretches([one for one in slots if f"{symbol}:{one}" not in given_up], self._interval_ms):
                together.setdefault(stretch, []).append(symbol)
        lines = []
        for (begin, count), symbols in sorted(together.items(), reverse=True)[:MOST_LISTED]:
            ends = begin + count * self._interval_ms
            lines.append(f"{clock(begin)} - {clock(ends)}  {count} candles each  {', '.join(symbols)}")
        return "\n".join(lines)

    def _unfillable(self, newest: int) -> list[int]:
        """The slots up to this one, one a symbol, that have no candle because no feed has a tick for them."""
        named: dict[str, list[int]] = {}
        for member in self._line.ask(("ZRANGEBYSCORE", UNFILLABLE, "-inf", newest))[0]:
            symbol, _, slot = member.rpartition(":")
            if symbol in self._first_ms and slot.isdecimal() and int(slot) >= self._first_ms[symbol]:
                named.setdefault(symbol, []).append(int(slot))
        commands: list[Command] = [("HMGET", candle_key(symbol), *slots) for symbol, slots in named.items()]
        there = zip(named.values(), self._line.ask(*commands), strict=True)
        return [slot for slots, found in there for slot, candle in zip(slots, found, strict=True) if candle is None]


def stretches(slots: list[int], interval_ms: int) -> list[tuple[int, int]]:
    """Slots as stretches: first slot, number.

    >>> stretches([0, 5000, 20000], 5000)
    [(0, 2), (20000, 1)]
    """
    found: list[tuple[int, int]] = []
    for slot in slots:
        if found and found[-1][0] + found[-1][1] * interval_ms == slot:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((slot, 1))
    return found


def clock(ms: int) -> str:
    """A time of day, UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%H:%M:%S")


def run(context: WorkerContext) -> None:
    """Aggregate until told to stop."""
    aggregator = Aggregator(context)
    say("candles: aggregating")
    run_cycles(context, aggregator.cycle, aggregator.recover)
