"""Past the router, straight to the brokers: IBKR's TWS handshake and an HTTP look at Zerodha's Kite API."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Mapping
from typing import NamedTuple, cast

from cockpit.clients.web import Answer
from cockpit.errors import BackendError, Refused, TimedOut, Unreachable
from cockpit.text import clean

VERSIONS = b"v100..176"
GREETING = b"API\0" + struct.pack(">I", len(VERSIONS)) + VERSIONS
MAX_FRAME_BYTES = 1 << 16
MAX_FRAMES = 16
"""News frames may come before the one that greets us."""
KITE_PATH = "/user/profile"
KITE_HEADERS = {"X-Kite-Version": "3"}


async def greet_tws(host: str, port: int, timeout_s: float) -> str:
    """Do the handshake and hang up: no client id is used and nobody is logged in. What the gateway said.

    Raises:
        TimedOut: it took longer; in the words of what a gateway that is silent most likely suffers from.
        BackendError: in an operator's words.
    """
    greeting = _Greeting(asyncio.get_running_loop().create_future())
    try:
        async with asyncio.timeout(timeout_s):
            return await _greeted(host, port, greeting)
    except TimeoutError:
        hung = "no answer to the handshake in time: hung, or a login dialog is open"
        raise TimedOut(hung if greeting.is_connected else "no connection in time") from None


async def _greeted(host: str, port: int, greeting: _Greeting) -> str:
    try:
        transport, _ = await asyncio.get_running_loop().create_connection(lambda: greeting, host, port)
    except ConnectionRefusedError:
        raise Unreachable("connection refused: the gateway is down") from None
    except UnicodeError:
        raise Unreachable("its name cannot be resolved") from None
    except OSError as error:
        raise Unreachable(f"cannot reach {clean(host, 80)}:{port}: {clean(error.strerror or error)}") from None
    try:
        version, moment = await greeting.told
    finally:
        transport.abort()
    return f"gateway answers: server version {version}, time {moment}"


class _Greeting(asyncio.Protocol):
    """Says who we are and takes server version and connection time out of the first frame with two fields.

    A new connection a second is what proves that there is somebody; streams on top of it would double its price.
    """

    def __init__(self, told: asyncio.Future[tuple[str, str]]) -> None:
        self.told = told
        self.is_connected = False
        self._heard = bytearray()
        self._frames = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The event loop's: it stands."""
        self.is_connected = True
        cast("asyncio.Transport", transport).write(GREETING)

    def data_received(self, data: bytes) -> None:
        """The event loop's: a piece of what the gateway says."""
        self._heard += data
        while len(self._heard) >= 4 and not self.told.done():
            length = int.from_bytes(self._heard[:4])
            if not 0 < length <= MAX_FRAME_BYTES:
                said = clean(self._heard[:4].decode("latin-1"))
                self.told.set_exception(BackendError(f"not a TWS gateway: it answered {said}"))
            elif len(self._heard) < 4 + length:
                return
            else:
                self._take(bytes(self._heard[4 : 4 + length]))
                del self._heard[: 4 + length]

    def connection_lost(self, exc: Exception | None) -> None:
        """The event loop's: it is gone."""
        if not self.told.done():
            why = "it hung up without a word: our address is not trusted, or it has too many clients"
            self.told.set_exception(Refused(why))

    def _take(self, frame: bytes) -> None:
        self._frames += 1
        fields = frame.split(b"\0")
        if len(fields) == 3 and fields[0].isdigit() and not fields[2]:
            self.told.set_result((fields[0].decode("ascii"), clean(fields[1].decode("utf-8", "replace"), 40)))
        elif self._frames == MAX_FRAMES:
            self.told.set_exception(BackendError("not a TWS gateway: no greeting among its first answers"))


class Verdict(NamedTuple):
    """What one look at a broker found."""

    is_up: bool
    detail: str
    is_degraded: bool = False
    """It answers, but would not serve us."""


def judge_kite(answer: Answer, *, has_token: bool) -> Verdict:
    """Whether the API behind the answer is up, and serves us, and in which words.

    >>> judge_kite(Answer(403, "Forbidden", b'{"status":"error","error_type":"TokenException"}'), has_token=False)
    Verdict(is_up=True, detail='API answers', is_degraded=False)
    >>> judge_kite(Answer(503, "", b'{"status":"error","error_type":"NetworkException","message":"OMS down"}'),
    ...            has_token=True)
    Verdict(is_up=False, detail='503 NetworkException: the API answers, its order system does not: OMS down', \
is_degraded=False)
    """
    body = _body(answer)
    kind, said = str(body.get("error_type") or ""), clean(body.get("message") or "", 80)
    tail = f": {said}" if said else ""
    if answer.status == 200 and body.get("status") == "success":
        return Verdict(True, "API answers, token accepted" if has_token else "API answers")
    if answer.status in (401, 403) and kind == "TokenException":
        # Being told that nobody is logged in takes the whole way through their gateway and back.
        return Verdict(True, "API answers, but refuses the token" if has_token else "API answers", has_token)
    if answer.status == 429:
        return Verdict(True, "429: API answers, but we ask too often", is_degraded=True)
    if answer.status in (502, 503, 504):
        label = f"{answer.status} {clean(kind, 40)}".rstrip()
        if kind:
            return Verdict(False, f"{label}: the API answers, its order system does not{tail}")
        return Verdict(False, f"{label}: no API behind its gateway")
    if body.get("status") == "error":
        return Verdict(False, f"{answer.status} {clean(kind or 'error', 40)}{tail}")
    return Verdict(False, f"answered {answer.status}, but not as the Kite API does")


def _body(answer: Answer) -> Mapping[str, object]:
    try:
        body = answer.json()
    except BackendError:
        return {}
    return body if isinstance(body, dict) else {}
