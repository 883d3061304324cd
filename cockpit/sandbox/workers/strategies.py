"""The strategies: fifty orders a second to orders.incoming, in ten bursts."""

from __future__ import annotations

import json
import time

from cockpit.sandbox.worker import WorkerContext
from cockpit.sandbox.workers.cycle import Every, Pace, beat, run_cycles, say
from cockpit.sandbox.workers.quotes import Quotes
from cockpit.sandbox.workers.redis_line import Command, RedisLine, now_ms
from cockpit.sandbox.workers.streams import INCOMING, add
from cockpit.sandbox.workers.targets import OrderFlow

BURSTS_PER_S = 10


def quantities(fields: list[str]) -> dict[str, int]:
    """Quantities out of HGETALL positions."""
    held: dict[str, int] = {}
    for symbol, text in zip(fields[::2], fields[1::2], strict=True):
        try:
            held[symbol] = int(json.loads(text)["qty"])
        except (ValueError, KeyError, TypeError):
            continue
    return held


class Strategies:
    """Reads prices and positions, sends a burst."""

    def __init__(self, context: WorkerContext) -> None:
        layout = context.layout
        self._line = RedisLine(layout.ports.redis, context.pump)
        self._quotes = Quotes(self._line)
        self._flow = OrderFlow(layout.seed, f"o{now_ms():x}")
        self._per_burst = layout.orders_per_s / BURSTS_PER_S
        self._owed = 0.0
        self._pace = Pace(1 / BURSTS_PER_S)
        self._look, self._second = Every(0.5), Every(1.0)
        self._last_at = time.monotonic()

    def cycle(self) -> None:
        """Wait for the next burst's time and send it."""
        self._pace.wait()
        if self._look.is_due():
            self._quotes.refresh()
        held = quantities(self._line.ask(("HGETALL", "positions"))[0])
        now, before = time.monotonic(), self._last_at
        self._last_at = now
        self._owed = min(self._owed + self._per_burst, 2 * self._per_burst)
        count = int(self._owed)
        self._owed -= count
        passed_s = min(now - before, 1.0)
        orders = self._flow.burst(count, held, self._quotes.prices, now_ms() / 1000, passed_s)
        commands: list[Command] = [add(INCOMING, order) for order in orders]
        if self._second.is_due():
            commands.append(beat("strategies"))
        if commands:
            self._line.ask(*commands)


def run(context: WorkerContext) -> None:
    """Trade until told to stop."""
    say("strategies: trading")
    run_cycles(context, Strategies(context).cycle)
