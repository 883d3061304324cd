"""The platform's read API, one pod of it: answers HTTP on a unix socket with positions and the newest risk metrics."""

from __future__ import annotations

import json
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from cockpit.sandbox.worker import WorkerContext
from cockpit.sandbox.workers.cycle import Every, beat, say
from cockpit.sandbox.workers.redis_line import RedisLine, RedisTrouble
from cockpit.sandbox.workers.streams import METRICS, decode

CRASH_AFTER_S = 0.2


def answer(path: str, line: RedisLine) -> tuple[int, dict[str, Any]]:
    """Status code and body for a path."""
    try:
        if path == "/positions":
            fields = line.ask(("HGETALL", "positions"))[0]
            return 200, {symbol: json.loads(text) for symbol, text in zip(fields[::2], fields[1::2], strict=True)}
        if path == "/risk":
            newest = line.ask(("XREVRANGE", METRICS, "+", "-", "COUNT", 1))[0]
            return 200, decode(newest[0][1]) if newest else {}
        if path == "/healthz":
            line.ask(("PING",))
            return 200, {"status": "ok"}
    except (RedisTrouble, ValueError) as error:
        return 503, {"status": "unavailable", "error": str(error)}
    return 404, {"status": "no such path"}


def serve_one(connection: socket.socket, line: RedisLine) -> None:
    """Read one request and answer it."""
    connection.settimeout(0.2)
    words = connection.recv(4096).decode("latin-1").split(" ", 2)
    code, body = answer(words[1], line) if len(words) > 1 and words[0] == "GET" else (405, {"status": "GET only"})
    payload = json.dumps(body).encode()
    head = [
        f"HTTP/1.1 {code} ",
        "Content-Type: application/json",
        f"Content-Length: {len(payload)}",
        "Connection: close",
    ]
    connection.sendall("\r\n".join([*head, "", ""]).encode() + payload)


def listen(path: Path) -> socket.socket:
    """The pod's own socket."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(8)
    listener.settimeout(0.25)
    return listener


def run(context: WorkerContext) -> None:
    """Serve until told to stop."""
    line = RedisLine(context.layout.ports.redis, context.pump)
    path = context.layout.run / f"{context.name[-12:]}.sock"
    listener = listen(path)
    second, started_at = Every(1.0), time.monotonic()
    say(f"api: serving on {path}")
    while context.pump():
        if context.knobs.is_api_crashing and time.monotonic() - started_at > CRASH_AFTER_S:
            say("api: panic: runtime error: invalid memory address")
            sys.exit(1)
        with suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                serve_one(connection, line)
        if second.is_due():
            with suppress(RedisTrouble):
                line.ask(beat("api"))
    listener.close()
    path.unlink(missing_ok=True)
