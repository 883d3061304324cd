"""Zerodha's Kite API: the one call that tells up, logged in, token dead and out of order apart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web

from cockpit.sandbox.knobs import Gate, VenueMode
from cockpit.sandbox.served.web import HttpEndpoint, json_answer

SLOW_S = 1.5
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
    """Answers /user/profile in the mood that the venue is in."""

    def __init__(self, port: int, mode: Callable[[], VenueMode], api_key: str, access_token: str) -> None:
        self._mode = mode
        self._authorization = f"token {api_key}:{access_token}"
        routes: list[web.AbstractRouteDef] = [web.get("/", self._root), web.get("/user/profile", self._profile)]
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

    async def _profile(self, request: web.Request) -> web.StreamResponse:
        if self._mode() == "slow":
            await asyncio.sleep(SLOW_S)
        if request.headers.get("X-Kite-Version") != "3":
            return _failure(400, "InputException", "Missing or invalid X-Kite-Version header.")
        is_known = request.headers.get("Authorization", "") == self._authorization
        if not is_known or self._mode() == "token_dead":
            return _failure(403, "TokenException", "Incorrect `api_key` or `access_token`.")
        return json_answer({"status": "success", "data": USER})


def _failure(status: int, kind: str, message: str) -> web.Response:
    return json_answer({"status": "error", "message": message, "data": None, "error_type": kind}, status)


def _out_of_order() -> web.Response:
    return _failure(503, "NetworkException", "Gateway timed out: the OMS is not responding.")
