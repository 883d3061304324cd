"""An HTTP application behind a door: what the HTTP APIs of the sandbox have in common."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from cockpit.sandbox.knobs import Gate
from cockpit.sandbox.served.door import Door

Refuse = Callable[[], web.StreamResponse]


class HttpEndpoint:
    """Serves one aiohttp application on one address, obeying its gate request by request."""

    def __init__(
        self,
        address: int | Path,
        gate: Callable[[], Gate],
        routes: list[web.AbstractRouteDef],
        failing: Refuse,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`failing` makes the 5xx answer that clients of this API get while the gate says error."""
        self._failing = failing
        self._application = web.Application(middlewares=[self._obey])
        self._application.add_routes(routes)
        # Handlers end with their caller, so that watches and held requests never outlive it.
        self._runner = web.AppRunner(
            self._application, access_log=None, handle_signals=False, shutdown_timeout=0.1, handler_cancellation=True
        )
        self.door = Door(address, self._protocol, gate, self._transports, tls)

    async def start(self) -> None:
        """Listen."""
        await self._runner.setup()
        await self.door.start()

    async def stop(self) -> None:
        """Stop listening and end every request at once."""
        await self.door.stop()
        await self._runner.cleanup()

    def _protocol(self) -> Any:
        server = self._runner.server
        assert server is not None, "started before the runner was set up"
        return server()

    def _transports(self) -> list[Any]:
        server = self._runner.server
        return [connection.transport for connection in server.connections] if server is not None else []

    @web.middleware
    async def _obey(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if self.door.gate == "blackhole":
            await self.door.passage()
            if request.transport is None or request.transport.is_closing():
                # The caller gave up: what it asked for must not happen minutes later.
                return web.Response(status=503)
        if self.door.gate == "down":
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=503)
        if self.door.gate == "error":
            return self._failing()
        return await handler(request)


def json_answer(body: object, status: int = 200) -> web.Response:
    """Answer with compact JSON and exactly `application/json` (the docker CLI prints raw JSON if a charset follows)."""
    text = json.dumps(body, separators=(",", ":"))
    return web.Response(body=text.encode(), status=status, headers={"Content-Type": "application/json"})


def json_object(raw: bytes) -> dict[str, Any]:
    """Parse a request's body that must be a JSON object; ValueError when it is not."""
    value = json.loads(raw)
    if not isinstance(value, dict):
        raise ValueError("expected a JSON object")
    return value
