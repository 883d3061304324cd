"""Faults of the market that break the book's limits; the risk manager halts trading by itself."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from typing import Any

from redis.exceptions import RedisError

from cockpit.sandbox.breakage import Breakage
from cockpit.sandbox.fault_knobs import Board
from cockpit.sandbox.layout import Layout
from cockpit.sandbox.redis_call import redis_call
from cockpit.sandbox.workers.instruments import START_EQUITY_USD

FALL = 0.065
"""Of the equity: over the limit of 5 %, with room for the market's own moves."""
EXCESS = 1.6
"""How far VaR goes over its limit."""
WAIT_S = 5.0
OURS = "risk-manager"


class MarketBreakage:
    """A turn of the market; clearing it also lifts the halt that it caused."""

    def __init__(self, layout: Layout, board: Board, knob: str, healthy: float) -> None:
        self._layout, self._board = layout, board
        self._knob, self._healthy = knob, healthy

    async def apply(self) -> None:
        """Turn the market as far as today's book needs."""
        async with redis_call(self._layout) as client:
            turned = await (self._fall(client) if self._knob == "price_shock" else self._storm(client))
        self._board.turn(replace(self._board.knobs, **{self._knob: turned}))

    async def mend(self) -> None:
        """Calm the market, wait for the measures to say so, then lift the halt if it is the risk manager's."""
        self._board.turn(replace(self._board.knobs, **{self._knob: self._healthy}))
        try:
            async with redis_call(self._layout) as client, asyncio.timeout(WAIT_S):
                began_ms = time.time() * 1000
                while True:
                    if await self._is_calm(client, began_ms):
                        break
                    await asyncio.sleep(0.1)
                switch = await client.hgetall("policy:kill_switch")
                if switch.get("by") == OURS:
                    lifted = {"enabled": "false", "reason": "", "by": "sandbox", "ts": str(int(time.time() * 1000))}
                    await client.hset("policy:kill_switch", mapping=lifted)
        except (RedisError, OSError, TimeoutError):
            return  # Redis is broken too, and lost or keeps the halt as a real one would

    async def is_broken(self) -> bool:
        """Whether the market is still turned."""
        return bool(getattr(self._board.knobs, self._knob) != self._healthy)

    async def _fall(self, client: Any) -> float:
        """The fraction by which prices must move so that this book loses FALL of the equity."""
        book = [json.loads(text) for text in (await client.hgetall("positions")).values()]
        gross = sum(abs(each["qty"] * each["mark"]) for each in book)
        gained = sum(each.get("realized_pnl", 0.0) + each["qty"] * (each["mark"] - each["avg_px"]) for each in book)
        return min(0.5, FALL * (START_EQUITY_USD + gained) / gross) if gross > 0 else FALL

    async def _storm(self, client: Any) -> float:
        """The factor on volatility that takes this book's VaR over its limit."""
        newest = await client.xrevrange("risk.metrics", count=1)
        limit = float(await client.hget("risk:limits", "var_99") or 0)
        var = float(json.loads(newest[0][1]["json"])["var_99"]) if newest else 0.0
        return min(10.0, max(2.0, EXCESS * limit / var)) if var > 0 else 4.0

    async def _is_calm(self, client: Any, since_ms: float) -> bool:
        newest = await client.xrevrange("risk.metrics", count=1)
        if not newest:
            return True
        metrics = json.loads(newest[0][1]["json"])
        limits = await client.hgetall("risk:limits")
        is_fresh = metrics["ts_ms"] > since_ms
        measured = ("var_99", "es_975", "drawdown_pct")
        return is_fresh and all(metrics[name] <= float(limits.get(name, "inf")) for name in measured)


def risk_breakages(layout: Layout, board: Board) -> dict[str, Breakage]:
    """Both of them, by fault id."""
    return {
        "drawdown": MarketBreakage(layout, board, "price_shock", 0.0),
        "var-breach": MarketBreakage(layout, board, "volatility", 1.0),
    }
