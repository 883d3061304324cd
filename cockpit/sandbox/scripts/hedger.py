#!/usr/bin/env python3
"""Close every position with reduce-only market orders, under the kill switch and within the brokers' rates.

    python backend/ops/hedger.py --flatten-all

Orders go the usual way (orders.incoming, risk manager, router). The risk manager lets reduce-only orders through while
the kill switch is engaged and never lets one turn a position round. While trading is enabled the strategies would buy
back what this sells, so it asks for the kill switch first.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sqlite3
import sys
import time
from collections import Counter, deque
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis

TRUE_WORDS = {"true", "1", "yes", "on"}
OK, UNFINISHED, REFUSED = 0, 1, 2
SETTLE_S = 0.5
"""A fill is on its stream before it is in `positions`; for so long its quantity still counts as in flight."""
RETRY_S = 1.0
POLL_S = 0.1


class Refusal(Exception):
    """It must not or cannot flatten; the text says why."""


@dataclass
class Flattening:
    """What was sent and what came of it."""

    in_flight: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Order id -> symbol, quantity that may still fill."""
    settling: deque[tuple[float, str, int]] = field(default_factory=deque)
    not_before: dict[str, float] = field(default_factory=dict)
    sent_at: dict[str, deque[float]] = field(default_factory=dict)
    orders: int = 0
    fills: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    last_reason: dict[str, str] = field(default_factory=dict)

    def busy(self, symbol: str, now: float) -> int:
        """Quantity of a symbol that is on its way."""
        while self.settling and self.settling[0][0] < now:
            self.settling.popleft()
        flying = sum(qty for each, qty in self.in_flight.values() if each == symbol)
        return flying + sum(qty for _, each, qty in self.settling if each == symbol)

    def may_send(self, venue: str, now: float, per_s: int) -> bool:
        """Whether the venue's rate allows one more order now."""
        sent = self.sent_at.setdefault(venue, deque())
        while sent and sent[0] <= now - 1.0:
            sent.popleft()
        return len(sent) < per_s

    def filled(self, order_id: str, qty: int, now: float) -> None:
        """One of our orders was filled, wholly or in part."""
        if order_id in self.in_flight:
            symbol, left = self.in_flight[order_id]
            self.fills += 1
            self.settling.append((now + SETTLE_S, symbol, qty))
            if left <= qty:
                del self.in_flight[order_id]
            else:
                self.in_flight[order_id] = (symbol, left - qty)

    def refused(self, order_id: str, reason: str, now: float) -> None:
        """One of our orders was rejected by the risk manager, the router or the venue."""
        if order_id in self.in_flight:
            symbol, _ = self.in_flight.pop(order_id)
            self.rejected[reason] += 1
            self.last_reason[symbol] = reason
            self.not_before[symbol] = now + RETRY_S


class Hedger:
    """Sends orders and watches positions until all are zero."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._server = redis.Redis.from_url(
            options.redis, decode_responses=True, socket_connect_timeout=3, socket_timeout=10
        )
        self._state = Flattening()
        self._run_id = f"flat-{int(time.time() * 1000):x}"
        self._cursors = {"orders.fills": "$", "orders.rejected": "$"}
        self._takers: dict[str, str] = {}
        self._is_stopped = False

    def stop(self, *_: object) -> None:
        """Send nothing more, and list what is open."""
        self._is_stopped = True

    def check(self) -> dict[str, dict[str, Any]]:
        """Refuse what would do harm; the open positions."""
        options = self._options
        switch: Any = self._server.hgetall("policy:kill_switch")
        is_halted = str(switch.get("enabled", "")).strip().lower() in TRUE_WORDS
        if not is_halted and not options.while_trading:
            raise Refusal(
                "trading is enabled: the strategies would trade against the flattening. Engage the kill switch first"
                " (redis-cli HSET policy:kill_switch enabled true) or pass --while-trading"
            )
        held = self.positions()
        if not held and not self._server.exists("positions") and ledger_holds(options.ledger):
            raise Refusal("Redis has no positions but the ledger has: replay the ledger into Redis first")
        beat: Any = self._server.hget("engine:hb", "risk")
        age_s = time.time() - float(beat) / 1000 if beat else None
        if age_s is not None and age_s > 10:
            say(options, f"warning: the risk manager has not been heard of for {age_s:.0f} s; orders may wait for it")
        return held

    def flatten(self) -> tuple[dict[str, Any], int]:
        """Do it; the result and the exit code."""
        held = self.check()
        options, began = self._options, time.monotonic()
        gross = sum(abs(float(each.get("notional_usd", 0.0))) for each in held.values())
        say(options, f"{len(held)} open positions, {gross:,.0f} USD gross; at most {options.rate} orders/s per venue")
        before = {symbol: each["qty"] for symbol, each in held.items()}
        if held and not options.dry_run:
            venues = {symbol: self.venue_of(symbol) for symbol in held}
            held = self._run(held, venues, began)
        took_s = time.monotonic() - began
        return self._outcome(before, held, took_s)

    def _run(self, held: dict[str, dict[str, Any]], venues: dict[str, str], began: float) -> dict[str, dict[str, Any]]:
        for stream in self._cursors:
            newest: Any = self._server.xrevrange(stream, count=1)
            self._cursors[stream] = newest[0][0] if newest else "0-0"
        said_at, quiet_since = began, None
        while True:
            now = time.monotonic()
            self._listen(now)
            held = self.positions()
            if not held and not self._state.in_flight:
                # A fill of somebody else's order may still come in: flat means flat for a moment.
                quiet_since = quiet_since or now
                if now - quiet_since > SETTLE_S:
                    return {}
            else:
                quiet_since = None
                if now - began > self._options.deadline or self._is_stopped:
                    return held
                self._send(held, venues, now)
            if now - said_at >= 1.0:
                said_at = now
                left = sum(abs(float(each.get("notional_usd", 0.0))) for each in held.values())
                say(self._options, f"{now - began:5.1f} s  {len(held)} open, {left:,.0f} USD; {self._counts()}")
            time.sleep(POLL_S)

    def _send(self, held: dict[str, dict[str, Any]], venues: dict[str, str], now: float) -> None:
        """Send what is not yet on its way, the largest positions first."""
        pipe = self._server.pipeline(transaction=False)
        overrides: Any = self._server.hgetall("policy:route_override")
        self._takers = overrides
        by_size = sorted(held.items(), key=lambda item: -abs(float(item[1].get("notional_usd", 0.0))))
        for symbol, position in by_size:
            venue = venues.get(symbol) or venues.setdefault(symbol, self.venue_of(symbol))
            price = abs(float(position["mark"])) or abs(float(position["avg_px"])) or 1.0
            most = max(1, int(self._options.slice_usd / price))
            left = abs(int(position["qty"])) - self._state.busy(symbol, now)
            if now < self._state.not_before.get(symbol, 0.0):
                continue
            # Two venues whose orders go to one adapter share its rate.
            taker = self._takers.get(venue, venue).upper()
            while left > 0 and self._state.may_send(taker, now, self._options.rate):
                qty = min(left, most)
                left -= qty
                order = self._order(symbol, "sell" if position["qty"] > 0 else "buy", qty, price, venue)
                self._state.sent_at[taker].append(now)
                self._state.in_flight[order["order_id"]] = (symbol, qty)
                # Named and capped as strategies do it: the stream keeps its size.
                pipe.xadd("orders.incoming", {"json": json.dumps(order)}, maxlen=10_000, approximate=True)
        pipe.execute()

    def _order(self, symbol: str, side: str, qty: int, price: float, venue: str) -> dict[str, Any]:
        self._state.orders += 1
        return {
            "order_id": f"{self._run_id}-{self._state.orders}",
            "ts_ms": int(time.time() * 1000),
            "strategy": "hedger",
            "symbol": symbol,
            "side": side,
            "qty": qty,
            "price": price,
            "order_type": "market",
            "reduce_only": True,
            "venue": venue,
        }

    def _listen(self, now: float) -> None:
        """Take in what became of our orders."""
        replies: Any = self._server.xread(self._cursors, count=1000)  # type: ignore[arg-type]
        for stream, entries in replies or ():
            for entry_id, fields in entries:
                self._cursors[stream] = entry_id
                event = loads(fields.get("json"))
                order_id = str(event.get("order_id", ""))
                if stream == "orders.fills":
                    self._state.filled(order_id, int(event.get("qty", 0)), now)
                else:
                    self._state.refused(order_id, str(event.get("reason", "?")), now)

    def positions(self) -> dict[str, dict[str, Any]]:
        """Positions that are not zero."""
        fields: Any = self._server.hgetall("positions")
        parsed_fields = {symbol: loads(text) for symbol, text in fields.items()}
        return {symbol: each for symbol, each in parsed_fields.items() if each.get("qty")}

    def venue_of(self, symbol: str) -> str:
        """Where a symbol trades: as told, as last ordered, as last filled."""
        told: dict[str, str] = self._options.venue
        if symbol in told:
            return told[symbol]
        for stream in ("orders.validated", "orders.incoming", "orders.fills"):
            rows: Any = self._server.xrevrange(stream, count=2000)
            for _, fields in rows:
                event = loads(fields.get("json"))
                if event.get("symbol") == symbol and event.get("venue"):
                    return str(event["venue"])
        found = ledger_venue(self._options.ledger, symbol)
        if found is None:
            raise Refusal(f"nobody knows where {symbol} trades; say it with --venue {symbol}=VENUE")
        return found

    def _counts(self) -> str:
        state = self._state
        return f"{state.orders} orders, {state.fills} fills, {sum(state.rejected.values())} rejected"

    def _outcome(
        self, before: dict[str, int], held: dict[str, dict[str, Any]], took_s: float
    ) -> tuple[dict[str, Any], int]:
        options, state = self._options, self._state
        result: dict[str, Any] = {
            "positions_before": before,
            "open": {symbol: each["qty"] for symbol, each in held.items()},
            "orders": state.orders,
            "fills": state.fills,
            "rejected": dict(state.rejected),
            "took_s": round(took_s, 2),
        }
        if options.dry_run:
            for symbol, qty in sorted(before.items()):
                say(options, f"  {symbol:<12} {qty:>10,}  would be closed at {self.venue_of(symbol)}")
            return result, OK
        if not held:
            say(options, f"flat after {took_s:.1f} s: {self._counts()}" if before else "nothing to do: already flat")
            return result, OK
        say(options, f"not flat after {took_s:.1f} s: {self._counts()}")
        for symbol, each in sorted(held.items()):
            waiting = state.busy(symbol, time.monotonic())
            why = state.last_reason.get(symbol) or (f"{waiting:,} in flight, unanswered" if waiting else "not sent yet")
            say(options, f"  still open: {symbol:<12} {each['qty']:>10,}  {why}")
        return result, UNFINISHED


def loads(text: str | None) -> dict[str, Any]:
    """A JSON object; {} for anything else."""
    try:
        value = json.loads(text or "")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def ledger_holds(path: Path) -> bool:
    """Whether the ledger has positions."""
    if not path.is_file():
        return False
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as ledger:
        return bool(ledger.execute("SELECT 1 FROM positions WHERE qty != 0 LIMIT 1").fetchone())


def ledger_venue(path: Path, symbol: str) -> str | None:
    """Where the ledger saw a symbol filled last."""
    if not path.is_file():
        return None
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as ledger:
        row = ledger.execute(
            "SELECT venue FROM fills WHERE symbol = ? ORDER BY rowid DESC LIMIT 1", (symbol,)
        ).fetchone()
    return str(row[0]) if row else None


def say(options: argparse.Namespace, line: str) -> None:
    """A progress line, unless JSON was asked for."""
    if not options.json:
        print(line, flush=True)


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Close positions with reduce-only market orders.")
    parser.add_argument("--flatten-all", action="store_true", help="close every position")
    parser.add_argument("--redis", default=os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0"), help="Redis' URL")
    parser.add_argument("--ledger", type=Path, default=Path("ledger.db"), help="to look up venues (default ledger.db)")
    told = os.environ.get
    parser.add_argument(
        "--deadline",
        type=float,
        default=told("FLATTEN_DEADLINE_S", "120"),
        help="give up after so many seconds (default $FLATTEN_DEADLINE_S, else 120)",
    )
    parser.add_argument(
        "--rate",
        type=int,
        default=told("FLATTEN_ORDERS_PER_S", "10"),
        help="orders per second and venue (default $FLATTEN_ORDERS_PER_S, else 10)",
    )
    parser.add_argument(
        "--slice-usd",
        type=float,
        default=told("FLATTEN_SLICE_USD", "150000"),
        help="largest order in USD (default $FLATTEN_SLICE_USD, else 150,000)",
    )
    parser.add_argument("--venue", action="append", default=[], metavar="SYMBOL=VENUE", help="where a symbol trades")
    parser.add_argument("--while-trading", action="store_true", help="even though the kill switch is not engaged")
    parser.add_argument("--dry-run", action="store_true", help="say what would be closed, send nothing")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    options = parser.parse_args(arguments)
    if not options.flatten_all:
        parser.error("nothing to do: --flatten-all is what this program is for")
    if options.rate < 1 or options.slice_usd <= 0 or options.deadline <= 0:
        parser.error("--rate, --slice-usd and --deadline must be above zero")
    if not all("=" in pair for pair in options.venue):
        parser.error("--venue wants SYMBOL=VENUE")
    options.venue = dict(pair.split("=", 1) for pair in options.venue)
    return options


def main(arguments: list[str] | None = None) -> int:
    """Run it; expected failures are one line and an exit code."""
    options = parsed(arguments)
    try:
        hedger = Hedger(options)
        signal.signal(signal.SIGTERM, hedger.stop)
        result, code = hedger.flatten()
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
