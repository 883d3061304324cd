#!/usr/bin/env python3
"""Rebuild Redis from the ledger: order streams with their original ids, consumer groups, positions.

    python backend/ops/replay_with_params.py --source ledger.db

The hash chain is verified first; a broken ledger is not replayed. Running it twice changes nothing the second time.
Entries that producers have added since the crash are kept, and no order is executed again: groups are made anew behind
the restored entries, and what a live group had not acknowledged stays pending.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sqlite3
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import redis

STREAMS = ("orders.validated", "orders.rejected", "orders.fills")
GROUPS = {"orders.validated": ("router",), "orders.rejected": (), "orders.fills": ("ledger",)}
TOLD_EVERY = 20_000
GENESIS = "0" * 64
OK, UNFINISHED, REFUSED = 0, 1, 2

# Runs in Redis as one step: what was added since we looked, the groups with everything pending, then the swap.
SWAP = """
local live, draft, seen, floor = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
local function key(id)
  local ms, sub = string.match(id, '^(%d+)-?(%d*)$')
  return tonumber(ms), tonumber(sub) or 0
end
local function is_less(a, b)
  local ams, asub = key(a)
  local bms, bsub = key(b)
  return ams < bms or (ams == bms and asub < bsub)
end
local known = {}
if redis.call('EXISTS', live) == 1 then
  for _, entry in ipairs(redis.call('XRANGE', live, '(' .. seen, '+')) do
    redis.call('XADD', draft, entry[1], unpack(entry[2]))
  end
  for _, row in ipairs(redis.call('XINFO', 'GROUPS', live)) do
    local group = {}
    for i = 1, #row, 2 do group[row[i]] = row[i + 1] end
    local from = group['last-delivered-id']
    if is_less(from, floor) then from = floor end
    known[group['name']] = true
    redis.call('XGROUP', 'CREATE', draft, group['name'], from)
    for _, p in ipairs(redis.call('XPENDING', live, group['name'], '-', '+', 100000)) do
      redis.call('XCLAIM', draft, group['name'], p[2], 0, p[1], 'IDLE', p[3], 'RETRYCOUNT', p[4], 'FORCE', 'JUSTID')
    end
  end
end
for i = 3, #ARGV do
  if not known[ARGV[i]] then redis.call('XGROUP', 'CREATE', draft, ARGV[i], floor) end
end
redis.call('RENAME', draft, live)
return redis.call('XLEN', live)
"""


class Refusal(Exception):
    """Nothing can be replayed; the text says why."""


Key = tuple[int, int]
Entry = tuple[str, str]
"""Entry id, JSON of the event."""


def entry_key(entry_id: str) -> Key:
    """An entry id as two numbers, which compare as ids do."""
    ms, _, sub = entry_id.partition("-")
    return int(ms), int(sub or 0)


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def open_ledger(path: Path) -> sqlite3.Connection:
    """Open the ledger for reading only."""
    if not path.is_file():
        raise Refusal(f"no ledger at {path}")
    ledger = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
    ledger.execute("PRAGMA query_only=ON")
    return ledger


def verified_events(ledger: sqlite3.Connection) -> Iterator[tuple[int, int, str, Any]]:
    """Events (id, ts_ms, kind, payload), each checked against the chain before it is handed out."""
    prev = GENESIS
    rows = ledger.execute("SELECT id, ts_ms, kind, payload, prev_hash, hash FROM events ORDER BY id")
    for event_id, ts_ms, kind, text, claimed_prev, claimed in rows:
        try:
            payload = json.loads(text)
        except ValueError:
            raise Refusal(f"ledger row {event_id} is broken: its payload is no JSON; nothing was replayed") from None
        if claimed_prev != prev:
            raise Refusal(f"ledger row {event_id} is broken: it does not follow the row before; nothing was replayed")
        body = f'{{"kind":{json.dumps(kind)},"payload":{text},"prev_hash":"{prev}","ts_ms":{ts_ms}}}'
        if hashlib.sha256(body.encode()).hexdigest() != claimed:
            # The column need not be in canonical form; the hash is over the canonical form.
            whole = canonical({"ts_ms": ts_ms, "kind": kind, "payload": payload, "prev_hash": prev})
            if hashlib.sha256(whole.encode()).hexdigest() != claimed:
                raise Refusal(f"ledger row {event_id} is broken: its hash is not that of its content; nothing replayed")
        prev = claimed
        yield event_id, ts_ms, kind, payload


class Book:
    """Positions as the fills make them."""

    def __init__(self) -> None:
        self.held: dict[str, tuple[int, float, float]] = {}
        self.last_price: dict[str, float] = {}

    def fill(self, fill: dict[str, Any]) -> None:
        """Apply a fill: quantity, average price, realised profit."""
        symbol, qty, price = fill["symbol"], int(fill["qty"]), float(fill["price"])
        signed = qty if fill["side"] == "buy" else -qty
        held, avg, realized = self.held.get(symbol, (0, 0.0, 0.0))
        after = held + signed
        if held == 0 or (held > 0) == (signed > 0):
            avg = round((abs(held) * avg + qty * price) / abs(after), 6)
        else:
            gain = min(abs(held), qty) * (price - avg) * (1 if held > 0 else -1)
            realized = round(realized + gain, 6)
            if after == 0:
                avg = 0.0
            elif (after > 0) != (held > 0):
                avg = round(price, 6)
        self.held[symbol] = (after, avg, realized)
        self.last_price[symbol] = price


class Replay:
    """What the ledger holds for Redis."""

    def __init__(self, options: argparse.Namespace) -> None:
        keep = options.max_entries or None
        self._options = options
        self.entries: dict[str, deque[Entry]] = {name: deque(maxlen=keep) for name in options.streams}
        self.in_ledger: dict[str, int] = dict.fromkeys(options.streams, 0)
        self.book = Book()
        self.events = 0

    def load(self, ledger: sqlite3.Connection, from_ts: int, to_ts: int | None) -> None:
        """Read and verify the whole ledger; keep what belongs into the streams."""
        fills: set[str] = set()
        (total,) = ledger.execute("SELECT COUNT(*) FROM events").fetchone()
        for _, ts_ms, kind, payload in verified_events(ledger):
            self.events += 1
            if self.events % TOLD_EVERY == 0:
                say(self._options, f"progress: {self.events:,} of {total:,} events verified")
            event = payload.get("event", {})
            if kind == "fill" and event.get("id") not in fills:
                fills.add(event["id"])
                self.book.fill(event)
            stream = payload.get("stream")
            if stream not in self.entries or ts_ms < from_ts or (to_ts is not None and ts_ms > to_ts):
                continue
            self.in_ledger[stream] += 1
            self.entries[stream].append((payload["entry"], json.dumps(event, separators=(",", ":"))))


def restore_stream(server: Any, name: str, restored: list[Entry], options: argparse.Namespace) -> tuple[int, int]:
    """Bring a stream up to the ledger; (entries that were missing, entries in it afterwards)."""
    live = read_live(server, name)
    live_ids = {entry_id for entry_id, _ in live}
    missing = [entry for entry in restored if entry[0] not in live_ids]
    if options.max_entries and len(live) >= options.max_entries:
        # A full stream was trimmed at its beginning, not broken.
        missing = [entry for entry in missing if entry_key(entry[0]) > entry_key(live[0][0])]
    if options.dry_run:
        return len(missing), len(live)
    if not missing:
        ensure_groups(server, name, live[-1][0] if live else "0-0")
        return 0, len(live)
    merged = sorted([*missing, *live], key=lambda entry: entry_key(entry[0]))
    draft = f"{name}:replay"
    server.delete(draft)
    for start in range(0, len(merged), options.batch):
        pipe = server.pipeline(transaction=False)
        for entry_id, text in merged[start : start + options.batch]:
            pipe.execute_command("XADD", draft, entry_id, "json", text)
        pipe.execute()
    first_live = entry_key(live[0][0]) if live else None
    handled = [entry[0] for entry in missing if first_live is None or entry_key(entry[0]) < first_live]
    floor = max(handled, key=entry_key) if handled else "0-0"
    seen = live[-1][0] if live else "0-0"
    after = server.eval(SWAP, 2, name, draft, seen, floor, *GROUPS[name])
    return len(missing), int(after)


def read_live(server: Any, name: str) -> list[Entry]:
    """Everything that is in a stream now."""
    found: list[Entry] = []
    start = "-"
    while True:
        rows: Any = server.xrange(name, min=start, count=1000)
        found += [(entry_id, fields.get("json", "{}")) for entry_id, fields in rows]
        if len(rows) < 1000:
            return found
        start = f"({rows[-1][0]}"


def ensure_groups(server: Any, name: str, at: str) -> None:
    """Create the stream's groups where they are missing, behind everything that is in it."""
    for group in GROUPS[name]:
        try:
            server.xgroup_create(name, group, id=at, mkstream=True)
        except redis.ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise


def restore_positions(server: Any, path: Path, book: Book) -> tuple[int, int]:
    """Write the positions that are missing or different; (written, all). A live ledger writer may move on meanwhile."""
    for _ in range(20):
        with server.pipeline() as pipe:
            try:
                pipe.watch("positions")
                current: Any = pipe.hgetall("positions")
                held = ledger_positions(path)
                wanted = {symbol: position_json(row, current.get(symbol), book, symbol) for symbol, row in held.items()}
                changed = {symbol: text for symbol, text in wanted.items() if not same(current.get(symbol), text)}
                pipe.multi()
                if changed:
                    pipe.hset("positions", mapping=changed)
                pipe.execute()
                return len(changed), len(wanted)
            except redis.WatchError:
                continue
    return 0, len(book.held)  # a writer that is this busy writes them itself


def ledger_positions(path: Path) -> dict[str, tuple[int, float, float]]:
    """The ledger's own table, as it is at this moment."""
    with closing(open_ledger(path)) as ledger:
        rows = ledger.execute("SELECT symbol, qty, avg_px, realized_pnl FROM positions").fetchall()
    return {symbol: (qty, avg_px, realized) for symbol, qty, avg_px, realized in rows}


def position_json(row: tuple[int, float, float], current: str | None, book: Book, symbol: str) -> str:
    """One field of the hash `positions`; the mark that is there stays, else the last fill's price is it."""
    qty, avg_px, realized = row
    try:
        mark = float(json.loads(current or "")["mark"])
    except (ValueError, KeyError, TypeError):
        mark = book.last_price.get(symbol, avg_px)
    fields = {
        "qty": qty,
        "avg_px": avg_px,
        "mark": mark,
        "notional_usd": round(qty * mark, 2),
        "realized_pnl": realized,
    }
    return json.dumps(fields, separators=(",", ":"))


def same(current: str | None, wanted: str) -> bool:
    """Whether quantity and average price are those wanted."""
    try:
        now, then = json.loads(current or ""), json.loads(wanted)
        return bool(now["qty"] == then["qty"] and now["avg_px"] == then["avg_px"])
    except (ValueError, KeyError, TypeError):
        return False


def check_book(book: Book, ledger: sqlite3.Connection) -> None:
    """The ledger's table of positions must be what its fills make."""
    rows = ledger.execute("SELECT symbol, qty, avg_px, realized_pnl FROM positions").fetchall()
    table = {row[0]: tuple(row[1:]) for row in rows}
    wrong = sorted(symbol for symbol in table.keys() | book.held.keys() if table.get(symbol) != book.held.get(symbol))
    if wrong:
        raise Refusal(f"the ledger's table of positions is not what its fills make: {', '.join(wrong)}")


def unresolved(path: Path) -> int:
    """Orders that were validated and have no outcome in the ledger."""
    with closing(open_ledger(path)) as ledger:
        row = ledger.execute("SELECT COUNT(*) FROM orders WHERE status IN ('validated', 'partially_filled')").fetchone()
    return int(row[0])


def run(options: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Verify, restore, count."""
    began = time.monotonic()
    replay = Replay(options)
    with closing(open_ledger(options.source)) as ledger:
        ledger.execute("BEGIN")  # events and positions of one moment, whoever goes on writing
        replay.load(ledger, options.from_ts or 0, options.to_ts)
        check_book(replay.book, ledger)
    verified_s = time.monotonic() - began
    say(options, f"ledger: {replay.events:,} events, hash chain verified in {verified_s:.2f} s")
    result: dict[str, Any] = {"events": replay.events, "verified_s": round(verified_s, 3), "streams": {}}
    server = redis.Redis.from_url(options.redis, decode_responses=True, socket_connect_timeout=3, socket_timeout=30)
    server.ping()
    result |= restore_streams(server, replay, options, result["streams"])
    if options.dry_run or options.to_ts is not None:
        say(options, "positions: left alone" + ("" if options.dry_run else ", --to-ts asks for a part of the ledger"))
    else:
        written, held = restore_positions(server, options.source, replay.book)
        result["positions"] = {"in_ledger": held, "written": written}
        say(options, f"positions: {held} in the ledger, {written} written, the others were right already")
    waiting = result["unresolved_orders"] = unresolved(options.source)
    if waiting:
        say(options, f"note: {waiting} orders have no outcome in the ledger; none is executed again")
    speed = f"done: {result['restored']:,} entries in {result['took_s']:.2f} s ({result['per_s']:,}/s)"
    say(options, "dry run: nothing was changed" if options.dry_run else speed)
    return result, OK


def restore_streams(
    server: Any, replay: Replay, options: argparse.Namespace, streams: dict[str, dict[str, int]]
) -> dict[str, Any]:
    """Restore stream after stream; what was done, with its speed."""
    began, total = time.monotonic(), 0
    for name, entries in replay.entries.items():
        missing, after = restore_stream(server, name, list(entries), options)
        in_ledger, cut = replay.in_ledger[name], replay.in_ledger[name] - len(entries)
        restored = 0 if options.dry_run else missing
        streams[name] = {"in_ledger": in_ledger, "missing": missing, "restored": restored, "entries": after}
        total += restored
        verb = "missing" if options.dry_run else "restored"
        older = f" ({cut:,} older ones stay in the ledger only, see --max-entries)" if cut else ""
        say(options, f"{name}: {in_ledger:,} in the ledger, {missing:,} {verb}, {after:,} in the stream{older}")
    took_s = time.monotonic() - began
    return {"restored": total, "took_s": round(took_s, 3), "per_s": round(total / took_s)}


def say(options: argparse.Namespace, line: str) -> None:
    """A progress line, unless JSON was asked for."""
    if not options.json:
        print(line, flush=True)


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Rebuild Redis' order streams, groups and positions from the ledger.")
    parser.add_argument("--source", type=Path, required=True, help="the ledger, a SQLite file with table events")
    parser.add_argument("--redis", default=os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0"), help="Redis' URL")
    parser.add_argument("--from-ts", type=int, help="only events from this time on (ms)")
    parser.add_argument("--to-ts", type=int, help="only events up to this time (ms); positions are left alone then")
    parser.add_argument("--streams", default=",".join(STREAMS), help="which streams, with commas between")
    parser.add_argument("--batch", type=int, default=1000, help="entries per round trip (default 1000)")
    parser.add_argument("--max-entries", type=int, default=10_000, help="newest entries per stream, 0 for all")
    parser.add_argument("--dry-run", action="store_true", help="verify and count, change nothing")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    options = parser.parse_args(arguments)
    options.streams = tuple(name.strip() for name in options.streams.split(",") if name.strip())
    if unknown := set(options.streams) - set(STREAMS):
        parser.error(f"unknown stream: {', '.join(sorted(unknown))}; there are {', '.join(STREAMS)}")
    if options.batch < 1 or options.max_entries < 0:
        parser.error("--batch must be at least 1, --max-entries at least 0")
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
    except sqlite3.Error as error:
        print(f"failed: ledger: {error}", file=sys.stderr)
        return UNFINISHED
    if options.json:
        print(json.dumps(result, indent=1))
    return code


if __name__ == "__main__":
    sys.exit(main())
