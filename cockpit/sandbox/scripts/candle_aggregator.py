#!/usr/bin/env python3
"""Fill missing candles from the ticks that the feeds' streams still hold.

    python backend/ingestion/candle_aggregator.py --gap-fill

Lists the gaps, fills each slot from the feed that has most ticks for it (the backup feed where they are equal), and
lists what is left and why; what no feed can fill is remembered, and no longer counted as missing. A candle that exists
is never touched, so no candle is made twice. The live aggregator is the platform's own worker; this program is for
after an outage.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import redis

OK, UNFINISHED, REFUSED = 0, 1, 2
SETTLE_MS = 2_500
"""The live aggregator closes a slot within this after its end; until then it is not missing."""
LATE_MS = 5_000
"""A tick can arrive so long after its own time."""
UNFILLABLE = "candles:unfillable"
"""A sorted set of `<symbol>:<slot>`, by slot; the live aggregator counts these apart, and drops the old ones."""


class Refusal(Exception):
    """Nothing can be filled; the text says why."""


@dataclass
class Candle:
    """One candle under construction."""

    o: float
    h: float
    l: float  # noqa: E741 - the four letters that every chart uses
    c: float
    n: int
    source: str
    filled: bool = True

    def add(self, price: float) -> None:
        """Take in a later tick."""
        self.h, self.l, self.c, self.n = max(self.h, price), min(self.l, price), price, self.n + 1


Slot = tuple[str, int]
"""Symbol, first millisecond."""


def missing_slots(have: Iterable[int], newest: int, interval_ms: int) -> list[int]:
    """Slots without a candle, from the first candle to the newest slot that should have one.

    >>> missing_slots([0, 5000, 20000], 25000, 5000)
    [10000, 15000, 25000]
    """
    present = set(have)
    if not present:
        return []
    return [slot for slot in range(min(present), newest + 1, interval_ms) if slot not in present]


def ranges(slots: list[int], interval_ms: int) -> list[tuple[int, int]]:
    """Slots as stretches: (first slot, number).

    >>> ranges([0, 5000, 20000], 5000)
    [(0, 2), (20000, 1)]
    """
    found: list[tuple[int, int]] = []
    for slot in sorted(slots):
        if found and found[-1][0] + found[-1][1] * interval_ms == slot:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((slot, 1))
    return found


class GapFiller:
    """Finds and fills gaps."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._server = redis.Redis.from_url(
            options.redis, decode_responses=True, socket_connect_timeout=3, socket_timeout=30
        )
        status: Any = self._server.hgetall("candles:status")
        self.interval_ms = int(options.interval_s or status.get("interval_s") or 5) * 1000
        self.history: dict[str, int] = {}
        """Feed -> time of the oldest tick that its stream still holds."""

    def newest_slot(self, settle_ms: int = SETTLE_MS) -> int:
        """The newest slot that should have its candle."""
        seconds, micros = self._server.time()
        now_ms = seconds * 1000 + micros // 1000
        return int((now_ms - settle_ms) // self.interval_ms * self.interval_ms - self.interval_ms)

    def gaps(self, newest: int) -> dict[str, list[int]]:
        """Missing slots by symbol."""
        found: dict[str, list[int]] = {}
        for key in sorted(self._server.scan_iter(match="candles:*", count=500, _type="HASH")):
            symbol = str(key).partition(":")[2]
            if symbol == "status" or (self._options.symbols and symbol not in self._options.symbols):
                continue
            names: Any = self._server.hkeys(key)
            slots = missing_slots((int(name) for name in names if name.isdigit()), newest, self.interval_ms)
            if slots:
                found[symbol] = slots
        return found

    def feeds(self) -> list[str]:
        """Feeds in the order in which they are preferred: as told, the registry's backup, its primary, the others."""
        streams: Any = self._server.scan_iter(match="ticks.*", count=500, _type="STREAM")
        there = sorted(str(stream).partition(".")[2] for stream in streams)
        if self._options.feed:
            if self._options.feed not in there:
                raise Refusal(f"there is no stream ticks.{self._options.feed}")
            return [self._options.feed]
        named = registry_feeds(self._options.registry)
        return [feed for feed in named if feed in there] + [feed for feed in there if feed not in named]

    def candles(self, feed: str, wanted: set[Slot]) -> dict[Slot, Candle]:
        """Candles of the wanted slots from one feed; only slots whose whole time its stream still holds."""
        oldest: Any = self._server.xrange(f"ticks.{feed}", count=1)
        if not oldest or not wanted:
            return {}
        begin = int(tick(oldest[0][1])[2])
        self.history[feed] = begin
        first, last = min(slot for _, slot in wanted), max(slot for _, slot in wanted)
        made: dict[Slot, Candle] = {}
        start, end = f"{first}-0", f"{last + self.interval_ms + LATE_MS}-0"
        while True:
            rows: Any = self._server.xrange(f"ticks.{feed}", min=start, max=end, count=2000)
            for _, fields in rows:
                symbol, price, ts_ms = tick(fields)
                slot = (symbol, ts_ms // self.interval_ms * self.interval_ms)
                if slot not in wanted or slot[1] < begin:
                    continue
                if slot in made:
                    made[slot].add(price)
                else:
                    made[slot] = Candle(price, price, price, price, 1, feed)
            if len(rows) < 2000:
                return made
            start = f"({rows[-1][0]}"

    def fill(self, gaps: dict[str, list[int]]) -> int:
        """Write the best candle of each missing slot that has one; how many were written."""
        wanted = {(symbol, slot) for symbol, slots in gaps.items() for slot in slots}
        best: dict[Slot, Candle] = {}
        feeds = self.feeds()
        for number, feed in enumerate(feeds):
            say(self._options, f"progress: {number} of {len(feeds)} feeds read, {feed} is next")
            for key, candle in self.candles(feed, wanted).items():
                if key not in best or candle.n > best[key].n:
                    best[key] = candle
        if self._options.dry_run:
            return len(best)
        pipe = self._server.pipeline(transaction=False)
        for (symbol, slot), candle in sorted(best.items()):
            pipe.hsetnx(f"candles:{symbol}", str(slot), json.dumps(asdict(candle), separators=(",", ":")))
        return sum(int(was_missing) for was_missing in pipe.execute())

    def remember(self, left: dict[str, list[int]], newest: int) -> None:
        """Note the slots up to this one that no feed could fill; none where only one feed was asked."""
        named = {f"{symbol}:{slot}": slot for symbol, slots in left.items() for slot in slots if slot <= newest}
        if named and not self._options.feed:
            self._server.zadd(UNFILLABLE, named)

    def reason(self, slot: int) -> str:
        """Why a slot could not be filled."""
        if not self.history:
            return "there are no ticks at all"
        oldest = min(self.history.values())
        if slot < oldest:
            return f"before the oldest tick that any feed's stream still holds ({clock(oldest)})"
        return "no feed has a tick of this symbol for that time"


def tick(fields: dict[str, str]) -> tuple[str, float, int]:
    """Symbol, price and time out of a stream entry; an empty symbol for what is no tick."""
    try:
        event = json.loads(fields["json"])
        return str(event["symbol"]), float(event["price"]), int(event["ts_ms"])
    except (KeyError, ValueError, TypeError):
        return "", 0.0, 0


def registry_feeds(path: Path) -> list[str]:
    """Backup and primary feed as registry.yaml names them, without needing a YAML library."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        return []
    found = dict(re.findall(r"^\s*(primary_feed|backup_feed)\s*:\s*['\"]?([\w.-]+)", text, re.MULTILINE))
    return [found[name] for name in ("backup_feed", "primary_feed") if name in found]


def clock(ms: int) -> str:
    """A time of day, UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%H:%M:%S")


def listing(gaps: dict[str, list[int]], interval_ms: int) -> list[str]:
    """Gaps as lines, symbols with the same gap together."""
    together: dict[tuple[int, int], list[str]] = {}
    for symbol, slots in gaps.items():
        for stretch in ranges(slots, interval_ms):
            together.setdefault(stretch, []).append(symbol)
    lines = []
    for (first, count), symbols in sorted(together.items()):
        end = first + count * interval_ms
        lines.append(f"  {clock(first)} - {clock(end)}  {count:>4} candles each  {', '.join(symbols)}")
    return lines


def run(options: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """List, fill, list again."""
    began = time.monotonic()
    filler = GapFiller(options)
    filler.feeds()  # a feed that does not exist is refused before anything is said
    before = filler.gaps(filler.newest_slot())
    if before and not options.dry_run:
        # A slot that ended just now shows only after a moment whether the live aggregator has made its candle.
        time.sleep(SETTLE_MS / 1000)
    newest = filler.newest_slot()
    closed = filler.newest_slot(LATE_MS)  # before the streams are read: what came later was not seen
    before = filler.gaps(newest)
    count = sum(len(slots) for slots in before.values())
    say(options, f"{count} candles of {filler.interval_ms // 1000} s are missing, in {len(before)} symbols")
    for line in listing(before, filler.interval_ms):
        say(options, line)
    written = filler.fill(before) if before else 0
    after = before if options.dry_run else filler.gaps(newest)
    left = sum(len(slots) for slots in after.values())
    if not options.dry_run:
        filler.remember(after, closed)
    reasons: dict[str, int] = {}
    for slots in after.values():
        for slot in slots:
            reasons[filler.reason(slot)] = reasons.get(filler.reason(slot), 0) + 1
    if options.dry_run:
        say(options, f"dry run: {written} of them could be filled")
    else:
        say(options, f"{written} filled, {left} left, in {time.monotonic() - began:.1f} s")
        for reason, number in reasons.items():
            say(options, f"  {number} cannot be filled: {reason}")
        for line in listing(after, filler.interval_ms):
            say(options, line)
    result = {"missing": count, "filled": written, "left": left, "unfillable": reasons, "gaps": after}
    return result, OK


def say(options: argparse.Namespace, line: str) -> None:
    """A progress line, unless JSON was asked for."""
    if not options.json:
        print(line, flush=True)


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Fill missing candles from the feeds' ticks.")
    parser.add_argument("--gap-fill", action="store_true", help="find the gaps and fill them")
    parser.add_argument("--feed", help="take ticks from this feed only")
    parser.add_argument("--symbols", help="only these symbols, with commas between")
    parser.add_argument("--interval-s", type=int, help="length of a candle (default: what candles:status says)")
    parser.add_argument("--registry", type=Path, default=Path("registry.yaml"), help="names the backup feed")
    parser.add_argument("--redis", default=os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0"), help="Redis' URL")
    parser.add_argument("--dry-run", action="store_true", help="list and count, change nothing")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    options = parser.parse_args(arguments)
    if not options.gap_fill:
        parser.error("nothing to do: --gap-fill is what this program is for")
    if options.interval_s is not None and options.interval_s < 1:
        parser.error("--interval-s must be at least 1")
    options.symbols = {symbol.strip() for symbol in (options.symbols or "").split(",") if symbol.strip()}
    return options


def main(arguments: list[str] | None = None) -> int:
    """Run it; expected failures are one line and an exit code."""
    options = parsed(arguments)
    try:
        result, code = run(options)
    except Refusal as refusal:
        print(f"refused: {refusal}", file=sys.stderr)
        return REFUSED
    except (redis.RedisError, OSError, ValueError) as error:
        print(f"failed: Redis: {error}", file=sys.stderr)
        return UNFINISHED
    if options.json:
        print(json.dumps(result, indent=1))
    return code


if __name__ == "__main__":
    sys.exit(main())
