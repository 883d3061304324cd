"""The router: takes validated orders to the venues' adapters and brings back what became of them.

An order is acknowledged only when it has ended at its venue, so what is pending is what is in flight. Where an order
goes is written down before it is sent: after a restart it goes to that venue again, which knows it, and to no other.
"""

from __future__ import annotations

import json
import select
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cockpit.sandbox.worker import WorkerContext
from cockpit.sandbox.workers.cycle import Every, beat, run_cycles, say
from cockpit.sandbox.workers.instruments import VENUES
from cockpit.sandbox.workers.redis_line import Command, RedisLine, now_ms
from cockpit.sandbox.workers.routing import destination
from cockpit.sandbox.workers.streams import (
    ALERTS,
    ALERTS_CAP,
    FILLS,
    REJECTED,
    ROUTER_REASON,
    VALIDATED,
    VENUE_REASON,
    Entry,
    Group,
    add,
    taken,
    waited_s,
)
from cockpit.sandbox.workers.venue_link import VenueLink

HELD_S = 5.0
"""An order that could not be sent for so long is refused: a market order must not be executed minutes later."""
READ_MS = 500
WAIT_S = 0.1
CURSOR = "router:cursor"
SENT = "router:sent"


@dataclass(slots=True)
class Routed:
    """An order that is not acknowledged yet."""

    entry_id: str
    order: dict[str, Any]
    since: float
    venue: str = ""
    """Where it was sent; empty while it is held."""


def ledger_cursors(ledger: Path) -> dict[str, int]:
    """Per venue the number of the last fill in the ledger, for when Redis has lost the cursors."""
    cursors: dict[str, int] = {}
    if ledger.exists():
        with suppress(sqlite3.Error, ValueError), closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as file:
            for venue in VENUES:
                row = file.execute("SELECT id FROM fills WHERE venue = ? ORDER BY rowid DESC LIMIT 1", (venue,))
                for (fill_id,) in row:
                    cursors[venue] = int(str(fill_id).rpartition("-")[2])
    return cursors


class Router:
    """Everything in flight, by order id."""

    def __init__(self, context: WorkerContext) -> None:
        layout = context.layout
        self._context = context
        self._ledger = layout.ledger
        self._line = RedisLine(layout.ports.redis, context.pump)
        self._group = Group(self._line, "router", (VALIDATED,))
        self._links = {venue: VenueLink(layout.venues_socket, venue) for venue in VENUES}
        self._cursors = dict.fromkeys(VENUES, 0)
        self._orders: dict[str, Routed] = {}
        self._told: dict[str, str] = {}
        # Reads block on a connection of their own, so that answers of venues are written meanwhile.
        self._reader = RedisLine(layout.ports.redis, context.pump)
        self._is_reading = False
        self._second, self._half, self._stray = Every(1.0), Every(0.5), Every(3.0)

    def recover(self) -> None:
        """Start from what Redis says, whatever this process believed before."""
        self._reader.close()
        self._is_reading = False
        self._group.ensure()
        kept, sent = (_mapping(fields) for fields in self._line.ask(("HGETALL", CURSOR), ("HGETALL", SENT)))
        fallback = ledger_cursors(self._ledger) if len(kept) < len(VENUES) else {}
        self._cursors = {venue: int(kept.get(venue, fallback.get(venue, 0))) for venue in VENUES}
        if len(kept) < len(VENUES):
            self._line.ask(("HSET", CURSOR, *(part for pair in self._cursors.items() for part in pair)))
        for link in self._links.values():
            link.drop()
        self._orders = {}
        waiting = self._group.pending()
        for _, entry_id, order in waiting:
            order_id = str(order.get("order_id"))
            self._orders[order_id] = Routed(entry_id, order, time.monotonic(), sent.get(order_id, ""))
        forgotten = sent.keys() - self._orders.keys()
        if forgotten:
            self._line.ask(("HDEL", SENT, *forgotten))

    def cycle(self) -> None:
        """Wait for orders or answers, carry them over."""
        self._tend()
        if not self._is_reading and "router" not in self._context.knobs.paused_groups:
            self._reader.send(self._group.read_command(READ_MS))
            self._is_reading = True
        links = [link for link in self._links.values() if link.fileno() >= 0]
        readers: list[Any] = [*links, self._reader] if self._is_reading else [*links]
        writers = [link for link in links if link.has_unsent()]
        ready = select.select(readers, writers, [], WAIT_S)[0]
        if self._reader in ready:
            entries = taken(self._reader.receive(1)[0])
            self._is_reading = False
            self._take(entries)
        if self._stray.is_due():
            # What Redis handed to a connection that had just died is in nobody's hands.
            self._take(self._group.pending())
        self._answer()
        self._route()
        self._report()

    def _tend(self) -> None:
        for venue, link in self._links.items():
            if link.tend(self._cursors[venue]):
                for routed in self._orders.values():
                    if routed.venue == venue:
                        link.send(routed.order)

    def _take(self, entries: list[Entry]) -> None:
        repeated: list[str] = []
        for _, entry_id, order in entries:
            order_id = str(order.get("order_id"))
            routed = self._orders.get(order_id)
            if routed is None:
                self._orders[order_id] = Routed(entry_id, order, time.monotonic())
            elif routed.entry_id != entry_id:
                repeated.append(entry_id)
        if repeated:
            self._line.ask(self._group.ack(VALIDATED, repeated))

    def _route(self) -> None:
        """Give held orders to their adapters; refuse those that were held too long."""
        held = [routed for routed in self._orders.values() if not routed.venue]
        if not held:
            return
        overrides = _mapping(self._line.ask(("HGETALL", "policy:route_override"))[0])
        leaving: list[tuple[Routed, str]] = []
        refused: list[tuple[Routed, str]] = []
        for routed in held:
            venue = destination(routed.order, overrides)
            if venue is None:
                refused.append((routed, "no adapter for this venue"))
            elif self._links[venue].is_ready and is_stale(routed.entry_id, routed.order):
                refused.append((routed, f"it was validated more than {HELD_S:.0f} s ago"))
            elif self._links[venue].is_ready:
                leaving.append((routed, venue))
            elif time.monotonic() - routed.since > HELD_S:
                refused.append((routed, f"{venue} could not be reached for {HELD_S:.0f} s"))
        if leaving:
            pairs = [part for routed, venue in leaving for part in (str(routed.order["order_id"]), venue)]
            self._line.ask(("HSET", SENT, *pairs))
            for routed, venue in leaving:
                routed.venue = venue
                self._links[venue].send(routed.order)
        if refused:
            commands = [
                add(REJECTED, {**routed.order, "ts_ms": now_ms(), "reason": ROUTER_REASON + reason})
                for routed, reason in refused
            ]
            self._finish([routed for routed, _ in refused], commands)

    def _answer(self) -> None:
        """Write down what the venues said, and acknowledge what has ended."""
        commands: list[Command] = []
        ended: list[Routed] = []
        moved: dict[str, int] = {}
        for venue, link in self._links.items():
            for event in link.receive():
                if event["seq"] <= self._cursors[venue]:
                    continue
                self._cursors[venue] = moved[venue] = event["seq"]
                commands.append(self._event_command(venue, event))
                routed = self._orders.get(event["order_id"])
                if routed is not None and (event["ev"] == "reject" or not event["left"]):
                    ended.append(routed)
        if moved:
            pairs = [part for venue, seq in moved.items() for part in (venue, seq)]
            self._finish(ended, [*commands, ("HSET", CURSOR, *pairs)])

    def _event_command(self, venue: str, event: dict[str, Any]) -> Command:
        if event["ev"] == "reject":
            routed = self._orders.get(event["order_id"])
            order = routed.order if routed is not None else {"order_id": event["order_id"], "venue": venue}
            reason = f"{VENUE_REASON}{venue}: {event['reason']}"
            return add(REJECTED, {**order, "ts_ms": event["ts_ms"], "reason": reason})
        names = ("id", "order_id", "ts_ms", "symbol", "side", "qty", "price")
        return add(FILLS, {**{name: event[name] for name in names}, "venue": venue})

    def _finish(self, ended: list[Routed], commands: list[Command]) -> None:
        """Commit what is known of these orders in one transaction."""
        if ended:
            order_ids = [str(routed.order.get("order_id")) for routed in ended]
            entry_ids = [routed.entry_id for routed in ended]
            commands = [*commands, self._group.ack(VALIDATED, entry_ids), ("HDEL", SENT, *order_ids)]
        self._line.transact(*commands)
        for routed in ended:
            self._orders.pop(str(routed.order.get("order_id")), None)

    def _report(self) -> None:
        """Write venue:status twice a second, the heartbeat once."""
        if not self._half.is_due():
            return
        looked_at = {venue: link.status() for venue, link in self._links.items()}
        statuses = {venue: status for venue, status in looked_at.items() if status is not None}
        commands: list[Command] = [
            ("HSET", "venue:status", venue, json.dumps(each)) for venue, each in statuses.items()
        ]
        for venue, status in statuses.items():
            if self._told.get(venue, "up") != status["status"]:
                commands.append(add(ALERTS, venue_alert(venue, status), ALERTS_CAP))
        if self._second.is_due():
            commands.append(beat("router"))
        if commands:
            self._line.ask(*commands)
        self._told = {venue: status["status"] for venue, status in statuses.items()}


def is_stale(entry_id: str, order: Mapping[str, Any]) -> bool:
    """Whether an order has waited here for longer than its check against the book holds; one that reduces may."""
    return order.get("reduce_only") is not True and waited_s(entry_id, now_ms()) > HELD_S


def venue_alert(venue: str, status: dict[str, Any]) -> dict[str, Any]:
    """The alert that a venue's status has changed."""
    level = {"up": "info", "degraded": "warn"}.get(status["status"], "critical")
    words = [venue, status["status"], str(status["code"] or ""), status["message"]]
    return {"ts_ms": status["ts_ms"], "lvl": level, "src": "router", "msg": " ".join(word for word in words if word)}


def _mapping(fields: list[str]) -> dict[str, str]:
    return dict(zip(fields[::2], fields[1::2], strict=True))


def run(context: WorkerContext) -> None:
    """Route until told to stop."""
    router = Router(context)
    say("router: adapters ibkr, zerodha, paper")
    run_cycles(context, router.cycle, router.recover)
