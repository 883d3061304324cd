"""The market: makes the prices and serves both feeds to the pods of ws-gateway, with the feeds' faults."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import numpy as np

from cockpit.sandbox.knobs import Knobs
from cockpit.sandbox.worker import WorkerContext
from cockpit.sandbox.workers.cycle import Every, beat, say
from cockpit.sandbox.workers.feeds import FeedServer
from cockpit.sandbox.workers.instruments import FEEDS, SYMBOLS
from cockpit.sandbox.workers.prices import STEPS_PER_S, Array, PricePath, shocked
from cockpit.sandbox.workers.redis_line import RedisLine, RedisTrouble, now_ms

STEP_S = 1 / STEPS_PER_S
BASE_DELAY_MS = {"yahoo": (5, 15), "moneycontrol": (8, 22)}
"""Between the exchange and our wire, least and most."""
GAP_EVERY_S = 2.4
GAP_S = 1.3
"""A gappy feed drops this much of every 2.4 s, beginning at once."""


class Market:
    """Prices that move on, and which of them each feed sends."""

    def __init__(self, seed: int, ticks_per_s: float, file: Path) -> None:
        self._path = PricePath(seed)
        self._file = file
        self._per_step = ticks_per_s / len(FEEDS) / STEPS_PER_S
        self._owed = dict.fromkeys(FEEDS, 0.0)
        self._next = dict.fromkeys(FEEDS, 0)
        self._gappy_since: dict[str, float] = {}
        self._delays = random.Random(seed)  # noqa: S311 - a market, not a secret
        self.shock = 0.0
        self.signs: Array = np.zeros(len(SYMBOLS))
        self._resume()

    def lines(self, knobs: Knobs, at_s: float) -> dict[int, list[str]]:
        """One step on: the lines to send, by symbol index."""
        prices = shocked(self._path.step(knobs.volatility), self.shock, self.signs)
        shares: dict[int, list[str]] = {}
        for feed in FEEDS:
            faults = knobs.feed(feed)
            self._owed[feed] += self._per_step
            count, first = int(self._owed[feed]), self._next[feed]
            self._owed[feed] -= count
            self._next[feed] = (first + count) % len(SYMBOLS)
            if faults.is_stalled or self._is_dropping(feed, faults.is_gappy, at_s):
                continue
            least, most = BASE_DELAY_MS.get(feed, (5, 20))
            ts_ms = int(at_s * 1000) - self._delays.randint(least, most) - faults.late_ms
            for step in range(count):
                index = (first + step) % len(SYMBOLS)
                tick = (
                    f'{{"symbol":"{SYMBOLS[index]}","price":{prices[index]:.4f},"ts_ms":{ts_ms},"source":"{feed}"}}\n'
                )
                shares.setdefault(index, []).append(tick)
        return shares

    def _is_dropping(self, feed: str, is_gappy: bool, at_s: float) -> bool:
        """Whether a gappy feed is in one of its gaps."""
        if not is_gappy:
            self._gappy_since.pop(feed, None)
            return False
        since_s = self._gappy_since.setdefault(feed, at_s)
        return (at_s - since_s) % GAP_EVERY_S < GAP_S

    def save(self) -> None:
        """Keep where the path stands, so that a restarted market goes on from there."""
        state = {
            "at": self._path.at,
            "offsets": [float(offset) for offset in self._path.offsets],
            "shock": self.shock,
            "signs": [float(sign) for sign in self.signs],
        }
        draft = self._file.with_suffix(".new")
        draft.write_text(json.dumps(state), encoding="utf-8")
        draft.replace(self._file)

    def _resume(self) -> None:
        try:
            state = json.loads(self._file.read_text(encoding="utf-8"))
            offsets, signs = np.array(state["offsets"], dtype=float), np.array(state["signs"], dtype=float)
            at, shock = int(state["at"]), float(state["shock"])
        except (OSError, ValueError, KeyError, TypeError):
            return
        if offsets.shape == signs.shape == (len(SYMBOLS),):
            self._path.at, self._path.offsets, self.shock, self.signs = at, offsets, shock, signs


def held_signs(line: RedisLine) -> Array:
    """The sign of each symbol's position; all long where Redis cannot say."""
    try:
        fields = line.ask(("HMGET", "positions", *SYMBOLS))[0]
        return np.sign([json.loads(field)["qty"] if field else 0 for field in fields])
    except (RedisTrouble, ValueError, KeyError, TypeError):
        return np.ones(len(SYMBOLS))


def run(context: WorkerContext) -> None:
    """Step the market twenty times a second."""
    layout = context.layout
    market = Market(layout.seed, layout.ticks_per_s, layout.run / "market.json")
    server = FeedServer(layout.feeds_socket)
    line = RedisLine(layout.ports.redis, context.pump)
    every_second = Every(1.0)
    next_at = time.monotonic()
    say("market: feeds are served")
    while context.pump():
        if context.knobs.price_shock != market.shock:
            if not market.shock:
                market.signs = held_signs(line)
            market.shock = context.knobs.price_shock
        server.send(market.lines(context.knobs, now_ms() / 1000))
        if every_second.is_due():
            market.save()
            _beat(line)
        next_at = max(next_at + STEP_S, time.monotonic() - 0.5)
        while (left_s := next_at - time.monotonic()) > 0:
            server.serve(left_s)
    server.close()


def _beat(line: RedisLine) -> None:
    try:
        line.ask(beat("market"))
    except RedisTrouble:
        return
