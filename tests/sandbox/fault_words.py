"""What each backend could say that is well-formed and no answer, and what an operator is to be told of it."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from tests.sandbox.fault_proxy import Words
from tests.terminal.hostile import TEXTS

BAD = " ".join(TEXTS[name] for name in ("ansi", "osc", "markup", "bidi", "emoji"))
WEB = ("Kubernetes", "Docker", "Grafana", "Zerodha")
DEEP = 100_000
TLS_ALERT = b"\x15\x03\x01\x00\x02\x02\x46"
"""What a TLS server says to whoever does not speak it."""


@dataclass(frozen=True, slots=True)
class Saying:
    """One kind of nonsense, as the web's backends, Redis, Postgres and IBKR's gateway say it; and words for each."""

    web: bytes
    web_told: str
    redis: Words
    redis_told: str
    postgres: bytes
    postgres_told: str
    ibkr: bytes
    ibkr_told: str

    def of(self, backend: str) -> tuple[Words, str]:
        """What the backend says, and what is to be told of it, as a pattern."""
        if backend == "Redis":
            return self.redis, self.redis_told
        words, told = {
            "Postgres": (self.postgres, self.postgres_told),
            "IBKR": (self.ibkr, self.ibkr_told),
        }.get(backend, (self.web, self.web_told))
        return lambda _: words, told


def _http(status: str, body: bytes, *fields: str, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    head = (f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {size}", *fields)
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body


def _refusal(text: str) -> bytes:
    """Postgres' word that it will not have us."""
    fields = b"".join(kind + text.encode() + b"\0" for kind in (b"S", b"V", b"M", b"D", b"H")) + b"C28000\0\0"
    return b"E" + struct.pack(">I", len(fields) + 4) + fields


def _frame(body: bytes) -> bytes:
    """As IBKR's gateway sends it."""
    return struct.pack(">I", len(body)) + body


def _each(reply: bytes) -> Words:
    """To every command the same reply."""
    return lambda asked: reply * max(1, asked.count(b"\r\n*") + asked.startswith(b"*"))


LATE = "no answer|hung up"
SAYINGS = {
    "errors": Saying(
        _http("500 \x1b[2J\x9b31m[/]", b'{"message": "\\u001b[2J\\u202e\\ud800[/]"}'),
        "answered 500",
        _each(b"-ERR " + BAD.encode() + b"\r\n"),
        "ERR .*31mred",
        _refusal(BAD),
        "Postgres|server",
        _frame(b"176\0" + b"\x1b[2J" * 9),
        "not a TWS|no answer|hung up",
    ),
    "elsewhere": Saying(
        _http("302 Found", b"", "Location: http://127.0.0.1:1/\x1b[2J"),
        "answered 302",
        _each(b"-MOVED 1 127.0.0.1:1\r\n"),
        "MOVED",
        b"S" + TLS_ALERT,
        "Postgres|SSL",
        _frame(b"\0" * 3),
        "not a TWS|no answer",
    ),
    "nothing": Saying(
        _http("204 No Content", b""),
        "answered 204",
        _each(b"$-1\r\n"),
        "not understood|answered",
        b"",
        LATE,
        _frame(b""),
        "not a TWS|no answer",
    ),
    "short": Saying(
        _http("200 OK", b'{"items": [{"metadata": {"name": "ws-', length=4000),
        LATE,
        lambda _: b"*9\r\n$5\r\nhel",
        LATE,
        b"R\0\0",
        LATE,
        struct.pack(">I", 40) + b"176",
        "not a TWS|no answer",
    ),
    "shape": Saying(
        _http("200 OK", b'[7, {"items": 7, "data": [], "items": {}}, "x"]'),
        "something else|not as the Kite",
        _each(b":1\r\n"),
        "not understood|answered",
        b"R" + struct.pack(">II", 8, 4_000_000_000),
        "Postgres|authentication",
        _frame(b"1e999\0\xff\xfe\0"),
        "not a TWS|no answer",
    ),
    "deep": Saying(
        _http("200 OK", b"[" * DEEP),
        "not JSON|not as the Kite",
        lambda _: b"*1\r\n" * DEEP,
        "is it a Redis",
        b"N" * DEEP,
        "Postgres|SSL",
        _frame(b"\0" * DEEP),
        "not a TWS|no answer",
    ),
    "number": Saying(
        _http("200 OK", b'{"items": [], "items": 1e999, "data": {"groups": -1e999}}'),
        "something else|not as the Kite",
        lambda _: b":" + b"9" * 5000 + b"\r\n",
        "is it a Redis",
        b"R" + struct.pack(">I", 0xFFFFFFFF),
        "Postgres|server",
        struct.pack(">I", 0xFFFFFFFF) + b"9" * 5000,
        "not a TWS|no answer",
    ),
    "another protocol": Saying(
        TLS_ALERT,
        f"does not speak|{LATE}",
        lambda _: _http("400 Bad Request", b""),
        "is it a Redis",
        _http("400 Bad Request", b""),
        "Postgres|server",
        _http("400 Bad Request", b""),
        "not a TWS",
    ),
}
"""By what they are called."""
