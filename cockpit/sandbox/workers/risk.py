"""The risk manager: every order passes here, under the kill switch and the limits."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from cockpit.sandbox.worker import WorkerContext
from cockpit.sandbox.workers.book_risk import BookRisk
from cockpit.sandbox.workers.cycle import Every, run_cycles, say
from cockpit.sandbox.workers.exposure import Exposure
from cockpit.sandbox.workers.limits import OrderLimits, is_engaged, malformation, refusal
from cockpit.sandbox.workers.quotes import Quotes
from cockpit.sandbox.workers.redis_line import Command, RedisLine, now_ms
from cockpit.sandbox.workers.risk_watch import RiskWatch, held_book
from cockpit.sandbox.workers.streams import (
    FILLS,
    INCOMING,
    REJECTED,
    VALIDATED,
    Entry,
    Group,
    add,
    decode,
    entry_key,
    is_final_rejection,
    waited_s,
)

BLOCK_MS = 100
RECENT = 20_000


class Gatekeeper:
    """Validates orders: what goes to orders.validated was checked against positions and everything in flight."""

    def __init__(self, line: RedisLine, seed: int) -> None:
        self._line = line
        self.group = Group(line, "risk", (INCOMING,))
        self._quotes = Quotes(line)
        self._quote = Every(0.5)
        self._exposure = Exposure()
        self._limits = OrderLimits()
        self._risk = BookRisk(seed)
        self._fills_after = "0-0"
        self._rejected_after = "0-0"
        self._recent: dict[str, None] = {}

    def recover(self) -> None:
        """Take up the work where Redis says it stands: what is in flight, what was handed out and not decided."""
        self.group.ensure()
        self._exposure = Exposure()
        self._find_flights()
        waiting = self.group.pending()
        if waiting:
            self.decide(waiting)

    def decide(self, entries: list[Entry]) -> None:
        """Validate or reject the entries; nothing is validated after the kill switch is on, not by a millisecond."""
        if self._quote.is_due() or not self._quotes.prices:
            self._quotes.refresh()
        while entries:
            *_, book, streams, _, kill_fields = self._line.ask(
                ("MULTI",),
                ("HGETALL", "positions"),
                ("HGET", "ledger:state", "fills_upto"),
                ("EXEC",),
                ("XREAD", "COUNT", 5000, "STREAMS", FILLS, REJECTED, self._fills_after, self._rejected_after),
                ("WATCH", "policy:kill_switch"),
                ("HGETALL", "policy:kill_switch"),
            )
            self._look(book[0], book[1] or "0-0", streams)
            if self._pass(entries, is_engaged(dict(zip(kill_fields[::2], kill_fields[1::2], strict=True)))):
                return

    def _pass(self, entries: list[Entry], is_halted: bool) -> bool:
        """Write the verdicts; False when the kill switch moved under them."""
        flights_before = dict(self._exposure.flights)  # only added to below
        validated: list[str] = []
        commands: list[Command] = []
        now = now_ms()
        for _, entry_id, order in entries:
            reason = self._verdict(order, is_halted, waited_s(entry_id, now))
            if reason:
                commands.append(add(REJECTED, _named(order, entry_id) | {"reason": reason}))
                continue
            self._exposure.sent(order["order_id"], order["symbol"], order["side"], order["qty"])
            validated.append(order["order_id"])
            commands.append(add(VALIDATED, order))
        commands.append(self.group.ack(INCOMING, [entry_id for _, entry_id, _ in entries]))
        if self._line.transact(*commands) is None:
            self._exposure.flights = flights_before
            return False
        self._recent.update(dict.fromkeys(validated))
        while len(self._recent) > RECENT:
            del self._recent[next(iter(self._recent))]
        return True

    def _verdict(self, order: Mapping[str, Any], is_halted: bool, age_s: float) -> str:
        if not malformation(order) and (
            order["order_id"] in self._recent or order["order_id"] in self._exposure.flights
        ):
            return "duplicate order_id"
        reason = refusal(order, is_halted, self._exposure, self._limits, age_s)
        if reason or order.get("reduce_only") is True:
            return reason
        return self._risk.refusal(self._exposure, order["symbol"], order["side"], order["qty"])

    def _look(self, positions: list[str], upto: str, streams: list[list[Any]] | None) -> None:
        """Bring positions and flights up to the end of the streams."""
        for stream, entries in streams or ():
            for entry_id, fields in entries:
                if stream == FILLS:
                    self._filled(entry_id, decode(fields))
                else:
                    self._rejected(entry_id, decode(fields))
        book = held_book(positions)
        self._exposure.rebase({symbol: each.qty for symbol, each in book.items()}, self._quotes.prices, upto)

    def _rejected(self, entry_id: str, order: Mapping[str, Any]) -> None:
        self._rejected_after = entry_id
        if is_final_rejection(order):
            self._exposure.ended(str(order.get("order_id")))

    def _filled(self, entry_id: str, fill: Mapping[str, Any]) -> None:
        self._fills_after = entry_id
        try:
            self._exposure.filled(entry_id, fill["order_id"], fill["symbol"], fill["side"], int(fill["qty"]))
        except (KeyError, TypeError, ValueError):
            return

    def _find_flights(self) -> None:
        """Orders validated before this worker started that may still fill: the router has not acknowledged them."""
        Group(self._line, "router", (VALIDATED,)).ensure()
        groups, summary = self._line.ask(("XINFO", "GROUPS", VALIDATED), ("XPENDING", VALIDATED, "router"))
        named = [dict(zip(group[::2], group[1::2], strict=True)) for group in groups]
        delivered = next(group["last-delivered-id"] for group in named if group["name"] == "router")
        first = summary[1] or delivered
        pending = {each[0] for each in self._line.ask(("XPENDING", VALIDATED, "router", "-", "+", 5000))[0]}
        for entry_id, fields in self._line.ask(("XRANGE", VALIDATED, first, "+"))[0]:
            order = decode(fields)
            if (entry_id in pending or entry_key(entry_id) > entry_key(delivered)) and not malformation(order):
                self._exposure.sent(order["order_id"], order["symbol"], order["side"], order["qty"])
        if self._exposure.flights:
            self._fills_after = self._rejected_after = f"{max(0, entry_key(first)[0] - 1)}-0"
            return
        last, upto = self._line.ask(
            ("XREVRANGE", REJECTED, "+", "-", "COUNT", 1), ("HGET", "ledger:state", "fills_upto")
        )
        self._fills_after, self._rejected_after = upto or "0-0", last[0][0] if last else "0-0"


def _named(order: dict[str, Any], entry_id: str) -> dict[str, Any]:
    """The order, with a name where it has none, so that its rejection can be found."""
    return order if isinstance(order.get("order_id"), str) else {**order, "order_id": f"unnamed-{entry_id}"}


def run(context: WorkerContext) -> None:
    """Decide orders as they come, and watch the book."""
    line = RedisLine(context.layout.ports.redis, context.pump)
    gatekeeper = Gatekeeper(line, context.layout.seed)
    watch = RiskWatch(line, context.layout.seed)
    stray = Every(3.0)

    def recover() -> None:
        watch.recover()
        gatekeeper.recover()

    def cycle() -> None:
        if "risk" in context.knobs.paused_groups:
            time.sleep(BLOCK_MS / 1000)
        else:
            # What Redis handed to a connection that had just died is in nobody's hands.
            entries = gatekeeper.group.pending() if stray.is_due() else gatekeeper.group.new(BLOCK_MS)
            if entries:
                gatekeeper.decide(entries)
        watch.watch(context.knobs)

    say("risk: watching")
    run_cycles(context, cycle, recover)
