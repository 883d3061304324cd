"""A Slack incoming webhook that keeps what it receives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web

from cockpit.sandbox.knobs import Gate
from cockpit.sandbox.served.inbox import Inbox
from cockpit.sandbox.served.web import HttpEndpoint, json_object


class SlackServer:
    """Takes messages at /services/TEAM/HOOK/TOKEN and answers with Slack's words."""

    def __init__(self, port: int, token: str, file: Path, gate: Callable[[], Gate]) -> None:
        """`token` is the last part of the webhook's address; every other is refused."""
        self._token = token
        self.inbox = Inbox(file)
        self.webhook_url = f"http://127.0.0.1:{port}/services/TSANDBOX/BSANDBOX/{token}"
        routes: list[web.AbstractRouteDef] = [
            web.post("/services/{team}/{hook}/{token}", self._take),
            web.route("*", "/{rest:.*}", _elsewhere),
        ]
        self._endpoint = HttpEndpoint(port, gate, routes, lambda: _words(500, "rollup_error"))

    async def start(self) -> None:
        """Listen."""
        await self._endpoint.start()

    async def stop(self) -> None:
        """Stop listening."""
        await self._endpoint.stop()

    async def _take(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["token"] != self._token:
            return _words(403, "invalid_token")
        try:
            message = _message(request.content_type, await request.read())
        except ValueError:
            return _words(400, "invalid_payload")
        if not any(message.get(part) for part in ("text", "blocks", "attachments")):
            return _words(400, "no_text")
        self.inbox.keep({"payload": message})
        return _words(200, "ok")


def _message(content_type: str, raw: bytes) -> dict[str, Any]:
    """Read a JSON body, or the form field `payload` that holds one."""
    if content_type == "application/x-www-form-urlencoded":
        fields = parse_qs(raw.decode())
        raw = fields.get("payload", [""])[0].encode()
    return json_object(raw)


def _words(status: int, text: str) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/html")


async def _elsewhere(_request: web.Request) -> web.StreamResponse:
    return _words(404, "no_service")
