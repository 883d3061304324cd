"""Zerodha's Kite API: what tells up, logged in, token dead and out of order apart, and what is held."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from cockpit.sandbox.knobs import Gate, VenueMode
from cockpit.sandbox.served.web import HttpEndpoint, json_answer

SLOW_S = 1.5
Positions = Callable[[], Mapping[str, tuple[float, float]]]
"""Quantity and average price by symbol, as the venue has them now."""
USER = {
    "user_id": "SB0001",
    "user_type": "individual",
    "email": "ops@example.invalid",
    "user_name": "Sandbox",
    "user_shortname": "Sandbox",
    "broker": "ZERODHA",
    "exchanges": ["NSE"],
    "products": ["CNC", "MIS"],
    "order_types": ["MARKET", "LIMIT"],
    "avatar_url": None,
    "meta": {"demat_consent": "consent"},
}


class KiteServer:
    """Answers /user/profile and /portfolio in the mood that the venue is in."""

    def __init__(
        self,
        port: int,
        mode: Callable[[], VenueMode],
        api_key: str,
        access_token: str,
        positions: Positions = dict,
    ) -> None:
        self._mode = mode
        self._positions = positions
        self._authorization = f"token {api_key}:{access_token}"
        told: dict[str, Callable[[], Any]] = {
            "/user/profile": lambda: USER,
            "/portfolio/positions": self._net,
            "/portfolio/holdings": list,
        }
        routes: list[web.AbstractRouteDef] = [web.get("/", self._root)]
        routes += [web.get(path, self._telling(tell)) for path, tell in told.items()]
        self._endpoint = HttpEndpoint(port, self._gate, routes, _out_of_order)

    async def start(self) -> None:
        """Listen."""
        await self._endpoint.start()

    async def stop(self) -> None:
        """Stop listening."""
        await self._endpoint.stop()

    def _gate(self) -> Gate:
        # A broker that is down answers: its gateway stands, the order management behind it does not.
        gates: dict[VenueMode, Gate] = {"down": "error", "reset": "error", "blackhole": "blackhole"}
        return gates.get(self._mode(), "open")

    async def _root(self, _request: web.Request) -> web.StreamResponse:
        return web.Response(text="Kite Connect API (sandbox)")

    def _telling(self, tell: Callable[[], Any]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            if self._mode() == "slow":
                await asyncio.sleep(SLOW_S)
            if request.headers.get("X-Kite-Version") != "3":
                return _failure(400, "InputException", "Missing or invalid X-Kite-Version header.")
            is_known = request.headers.get("Authorization", "") == self._authorization
            if not is_known or self._mode() == "token_dead":
                return _failure(403, "TokenException", "Incorrect `api_key` or `access_token`.")
            return json_answer({"status": "success", "data": tell()})

        return answer

    def _net(self) -> dict[str, Any]:
        """No night falls in the sandbox: everything is a position of the day."""
        rows = [
            {"tradingsymbol": symbol, "exchange": "NSE", "product": "CNC", "quantity": qty, "average_price": price}
            for symbol, (qty, price) in sorted(self._positions().items())
        ]
        return {"net": rows, "day": rows}


def _failure(status: int, kind: str, message: str) -> web.Response:
    return json_answer({"status": "error", "message": message, "data": None, "error_type": kind}, status)


def _out_of_order() -> web.Response:
    return _failure(503, "NetworkException", "Gateway timed out: the OMS is not responding.")
