"""The Docker Engine API on a unix socket, over real processes: what docker ps, restart, inspect and logs need."""

from __future__ import annotations

import asyncio
import json
import re
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from signal import SIGKILL, SIGTERM, Signals
from typing import Any

from aiohttp import web

from cockpit.sandbox.knobs import Gate
from cockpit.sandbox.served.containers import ContainerRuntime
from cockpit.sandbox.served.docker_shapes import API_VERSION, identity, info, inspection, summary, version
from cockpit.sandbox.served.web import HttpEndpoint, json_answer

Act = Callable[[ContainerRuntime, web.Request], Awaitable[web.StreamResponse]]
ALL_LOG_LINES = 10_000
DEFAULT_STOP_S = 10.0


class DockerServer:
    """Serves the containers it is given; every change is made to a real process."""

    def __init__(self, socket_path: Path, containers: list[ContainerRuntime], gate: Callable[[], Gate]) -> None:
        self._containers = containers
        self._endpoint = HttpEndpoint(socket_path, gate, self._routes(), lambda: _error(500, "server is failing"))

    async def start(self) -> None:
        """Listen on the socket (mode 0600)."""
        await self._endpoint.start()

    async def stop(self) -> None:
        """Stop listening; the containers are their owner's business."""
        await self._endpoint.stop()

    def _routes(self) -> list[web.AbstractRouteDef]:
        one = "/containers/{ref}"
        table: list[tuple[str, str, Callable[[web.Request], Awaitable[web.StreamResponse]]]] = [
            ("GET", "/_ping", self._ping),
            ("GET", "/version", self._version),
            ("GET", "/info", self._info),
            ("GET", "/containers/json", self._list),
            ("GET", f"{one}/json", self._on(_inspect)),
            ("GET", f"{one}/logs", self._on(_logs)),
            ("POST", f"{one}/start", self._on(_start)),
            ("POST", f"{one}/stop", self._on(_stop)),
            ("POST", f"{one}/restart", self._on(_restart)),
            ("POST", f"{one}/kill", self._on(_kill)),
            ("POST", f"{one}/wait", self._on(_wait)),
            ("*", "/{rest:.*}", self._unknown),
        ]
        # Clients put the version that they negotiated in front, or nothing at all.
        versioned = [
            web.route(verb, prefix + path, answer)
            for prefix in (r"/v{version:\d+\.\d+}", "")
            for verb, path, answer in table
        ]
        return list(versioned)

    def _on(self, act: Act) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            ref = request.match_info["ref"]
            for container in self._containers:
                if ref == container.name or (len(ref) >= 4 and identity(container).startswith(ref)):
                    try:
                        # A restart that has begun is finished even if its caller hangs up half-way.
                        return await asyncio.shield(asyncio.ensure_future(act(container, request)))
                    except ValueError as refusal:
                        return _error(400, str(refusal))
                    except OSError as failure:
                        return _error(500, f"{container.name}: {failure}")
            return _error(404, f"No such container: {ref}")

        return answer

    async def _ping(self, request: web.Request) -> web.StreamResponse:
        headers = {"Api-Version": API_VERSION, "Ostype": "linux", "Docker-Experimental": "false"}
        return web.Response(text="" if request.method == "HEAD" else "OK", headers=headers)

    async def _version(self, _request: web.Request) -> web.StreamResponse:
        return json_answer(version())

    async def _info(self, _request: web.Request) -> web.StreamResponse:
        return json_answer(info(self._containers))

    async def _list(self, request: web.Request) -> web.StreamResponse:
        try:
            wanted = _filters(request.query.get("filters", ""))
        except ValueError as refusal:
            return _error(400, f"invalid filter: {refusal}")
        is_all = request.query.get("all", "0") in ("1", "true", "True") or "status" in wanted
        found = [c for c in self._containers if (is_all or c.is_running) and _matches(c, wanted)]
        return json_answer([summary(c) for c in found])

    async def _unknown(self, _request: web.Request) -> web.StreamResponse:
        return _error(404, "page not found")


def _error(status: int, message: str) -> web.Response:
    return json_answer({"message": message}, status)


def _filters(text: str) -> dict[str, list[str]]:
    """Read the filters parameter: `{"name": {"redis": true}}`, or lists as old clients send them."""
    if not text:
        return {}
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("expected an object")
    return {str(key): [str(item) for item in items] for key, items in value.items()}


def _matches(container: ContainerRuntime, wanted: dict[str, list[str]]) -> bool:
    state = "running" if container.is_running else "exited"
    try:
        names = [re.compile(pattern) for pattern in wanted.get("name", [])]
    except re.error as problem:
        raise ValueError(str(problem)) from problem
    return (
        (not names or any(name.search("/" + container.name) for name in names))
        and ("status" not in wanted or state in wanted["status"])
        and ("id" not in wanted or any(identity(container).startswith(prefix) for prefix in wanted["id"]))
    )


async def _inspect(container: ContainerRuntime, _request: web.Request) -> web.StreamResponse:
    return json_answer(inspection(container))


async def _logs(container: ContainerRuntime, request: web.Request) -> web.StreamResponse:
    tail = request.query.get("tail", "all")
    count = int(tail) if tail.isdigit() else ALL_LOG_LINES
    frames = bytearray()
    for line in container.log_lines(count) if count else []:
        text = (line + "\n").encode()
        frames += struct.pack(">BxxxI", 1, len(text)) + text
    return web.Response(body=bytes(frames), headers={"Content-Type": "application/vnd.docker.multiplexed-stream"})


async def _start(container: ContainerRuntime, _request: web.Request) -> web.StreamResponse:
    if container.is_running:
        return web.Response(status=304)
    await container.start()
    return web.Response(status=204)


async def _stop(container: ContainerRuntime, request: web.Request) -> web.StreamResponse:
    if not container.is_running:
        return web.Response(status=304)
    await container.stop(_timeout_s(request), _signal(request, SIGTERM))
    return web.Response(status=204)


async def _restart(container: ContainerRuntime, request: web.Request) -> web.StreamResponse:
    timeout_s, signal = _timeout_s(request), _signal(request, SIGTERM)
    if container.is_running:
        await container.stop(timeout_s, signal)
    await container.start()
    return web.Response(status=204)


async def _kill(container: ContainerRuntime, request: web.Request) -> web.StreamResponse:
    signal = _signal(request, SIGKILL)
    if not container.is_running:
        message = f"cannot kill container: {container.name}: container {identity(container)} is not running"
        return _error(409, message)
    await container.kill(signal)
    if signal == SIGKILL:
        await container.wait()
    return web.Response(status=204)


async def _wait(container: ContainerRuntime, request: web.Request) -> web.StreamResponse:
    # The headers go out at once: the CLI counts on them to know that the wait has begun.
    answer = web.StreamResponse(headers={"Content-Type": "application/json"})
    await answer.prepare(request)
    body: dict[str, Any] = {"StatusCode": await container.wait()}
    await answer.write(json.dumps(body).encode())
    await answer.write_eof()
    return answer


def _timeout_s(request: web.Request) -> float:
    text = request.query.get("t", "")
    if not text:
        return DEFAULT_STOP_S
    seconds = int(text)
    return float(seconds) if seconds >= 0 else 86_400.0


def _signal(request: web.Request, default: Signals) -> Signals:
    text = request.query.get("signal", "")
    if not text:
        return default
    try:
        return Signals(int(text)) if text.isdigit() else Signals["SIG" + text.upper().removeprefix("SIG")]
    except (KeyError, ValueError) as problem:
        raise ValueError(f"invalid signal: {text}") from problem
