"""Faults of the market that break the book's limits; the risk manager halts trading by itself."""

from __future__ import annotations

import asyncio
import json
import time
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any

from redis.exceptions import RedisError

from cockpit.sandbox.breakage import Breakage
from cockpit.sandbox.fault_knobs import Board
from cockpit.sandbox.knobs import Knobs
from cockpit.sandbox.layout import Layout
from cockpit.sandbox.redis_call import redis_call
from cockpit.sandbox.workers.instruments import START_EQUITY_USD

FALL = 0.065
"""Of the equity: over the limit of 5 %, with room for the market's own moves."""
EXCESS = 1.6
"""How far VaR goes over its limit."""
WAIT_S = 20.0
OURS = "risk-manager"


class MarketBreakage(ABC):
    """A turn of the market; clearing it also lifts the halt that it caused."""

    def __init__(self, layout: Layout, board: Board) -> None:
        self._layout, self.board = layout, board

    @abstractmethod
    async def turned(self, client: Any) -> Knobs:
        """The knobs turned as far as today's book needs."""

    @abstractmethod
    def calmed(self) -> Knobs:
        """The knobs turned back."""

    async def apply(self) -> None:
        """Turn the market."""
        async with redis_call(self._layout) as client:
            self.board.turn(await self.turned(client))

    async def calm(self) -> None:
        """Calm the market and wait for the measures to say so; the halt stays."""
        await self._calmed_down(is_lifting=False)

    async def mend(self) -> None:
        """The same, then lift the halt if it is the risk manager's."""
        await self._calmed_down(is_lifting=True)

    async def _calmed_down(self, is_lifting: bool) -> None:
        began_ms = time.time() * 1000
        self.board.turn(self.calmed())
        try:
            async with redis_call(self._layout) as client, asyncio.timeout(WAIT_S):
                while True:
                    if await self._is_calm(client, began_ms):
                        break
                    await asyncio.sleep(0.1)
                switch = await client.hgetall("policy:kill_switch")
                if is_lifting and switch.get("by") == OURS:
                    lifted = {"enabled": "false", "reason": "", "by": "sandbox", "ts": str(int(time.time() * 1000))}
                    await client.hset("policy:kill_switch", mapping=lifted)
        except (RedisError, OSError, TimeoutError):
            return  # Redis is broken too, and lost or keeps the halt as a real one would

    async def is_broken(self) -> bool:
        """Whether the market is still turned."""
        return self.calmed() != self.board.knobs

    @staticmethod
    async def _is_calm(client: Any, since_ms: float) -> bool:
        newest = await client.xrevrange("risk.metrics", count=1)
        if not newest:
            return True
        metrics = json.loads(newest[0][1]["json"])
        limits = await client.hgetall("risk:limits")
        measured = ("var_99", "es_975", "drawdown_pct")
        is_fresh = metrics["ts_ms"] > since_ms
        return is_fresh and all(metrics[name] <= float(limits.get(name, "inf")) for name in measured)


class Fall(MarketBreakage):
    """Prices move against every position held."""

    async def turned(self, client: Any) -> Knobs:
        """Move them as far as takes FALL of the equity from this book."""
        book = [json.loads(text) for text in (await client.hgetall("positions")).values()]
        gross = sum(abs(each["qty"] * each["mark"]) for each in book)
        gained = sum(each.get("realized_pnl", 0.0) + each["qty"] * (each["mark"] - each["avg_px"]) for each in book)
        shock = min(0.5, FALL * (START_EQUITY_USD + gained) / gross) if gross > 0 else FALL
        return replace(self.board.knobs, price_shock=shock)

    def calmed(self) -> Knobs:
        """Prices back where they were."""
        return replace(self.board.knobs, price_shock=0.0)


class Storm(MarketBreakage):
    """The market is several times as volatile as the limits were made for."""

    async def turned(self, client: Any) -> Knobs:
        """Raise volatility until this book's VaR is well over its limit."""
        newest = await client.xrevrange("risk.metrics", count=1)
        limit = float(await client.hget("risk:limits", "var_99") or 0)
        var = float(json.loads(newest[0][1]["json"])["var_99"]) if newest else 0.0
        factor = min(10.0, max(2.0, EXCESS * limit / var)) if var > 0 else 4.0
        return replace(self.board.knobs, volatility=factor)

    def calmed(self) -> Knobs:
        """An ordinary day's volatility."""
        return replace(self.board.knobs, volatility=1.0)


def risk_breakages(layout: Layout, board: Board) -> dict[str, Breakage]:
    """Both of them, by fault id."""
    return {"drawdown": Fall(layout, board), "var-breach": Storm(layout, board)}
