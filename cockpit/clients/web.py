"""JSON over HTTP, mistrusted: a total deadline, a cap on size, no redirects, no proxies, errors in operators' words."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from cockpit.clients.answering import Answering
from cockpit.clients.asking import Goal
from cockpit.clients.bounded import SoloThread
from cockpit.clients.json_text import loads
from cockpit.clients.names import suspected, unresolved
from cockpit.clients.wire import Wire
from cockpit.errors import BackendError, Refused, TimedOut, Unreachable
from cockpit.text import clean

MAX_BYTES = 8 << 20
"""A Grafana with thousands of rules answers 3 MB; beyond this it is no answer but an accident or an attack."""
KEPT_BYTES = 1 << 20
"""An answer up to this size is kept, so that one that comes again is the same objects to whoever reads it."""
MOST_CONNECTIONS = 8
MOST_KEPT = 4
HAPPY_S = 0.25
"""A name with several addresses: how long one of them may take before the next is tried beside it."""
HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "ops-cockpit"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status."""

    status: int
    reason: str
    body: bytes

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            BackendError: it is not JSON.
        """
        try:
            return loads(self.body)
        except (ValueError, RecursionError):
            seen = clean(self.body[:40].decode("utf-8", "replace")).strip()
            raise BackendError(f"answered {self.status}, but not JSON: {seen or 'nothing'}") from None


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom TLS trusts beside the machine's own authorities, and who we say we are."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


class Web:
    """One server and its kept-alive connections."""

    def __init__(
        self,
        url: str,
        *,
        name: str,
        timeout_s: float,
        unix_socket: str | None = None,
        trust: Trust | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._url = url.rstrip("/")
        self._name = name
        self._timeout_s = timeout_s
        self._unix_socket = unix_socket
        self._trust = trust or Trust()
        self._max_bytes = max_bytes
        self._builder = SoloThread(f"the TLS set-up for {name}")
        self._building = asyncio.Lock()
        self._tls: ssl.SSLContext | None = None
        self._room = asyncio.Semaphore(MOST_CONNECTIONS)
        self._kept: list[Wire] = []
        self._asked: dict[str, tuple[object, bytes]] = {}
        self._told: dict[str, tuple[bytes, Any]] = {}

    @cached_property
    def place(self) -> str:
        """Where it is, fit to be shown: without a user's name and password."""
        if self._unix_socket is not None:
            return clean(self._unix_socket)
        parts = urlsplit(self._url)
        return clean(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}")

    async def get(
        self, path: str, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Ask, and take any status for an answer.

        Raises:
            BackendError: nothing came back, too late, or too much.
        """
        return await self._ask("GET", path, params, headers)

    async def post(self, path: str, params: Mapping[str, str] | None = None) -> Answer:
        """Have something done that the path names; any status is an answer. It is sent once.

        Raises:
            Unreachable: it was not sent.
            BackendError: nothing came back in time: it may have been done.
        """
        return await self._ask("POST", path, params, None)

    async def send(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """Send it once, and take any status for an answer; nothing is followed.

        Raises:
            Unreachable: it was not sent.
            BackendError: nothing came back, too late, or too much: it may have been done.
        """
        return await self._ask(method, path, None, headers, body)

    async def get_json(
        self, path: str, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        """Ask, and take only a success with a JSON body.

        Raises:
            BackendError: as get(), or the status is not 2xx, or the body is not JSON.
        """
        answer = await self.get(path, params, headers)
        if not 200 <= answer.status < 300:
            self.reject(answer)
        return self.parsed(path, answer)

    def parsed(self, path: str, answer: Answer) -> Any:
        """The body as JSON, which nobody may change: the same objects where it is what the path told last.

        Raises:
            BackendError: it is not JSON.
        """
        known = self._told.get(path)
        if known is not None and known[0] == answer.body:
            return known[1]
        found = answer.json()
        if len(answer.body) <= KEPT_BYTES:
            self._told[path] = answer.body, found
        return found

    def reject(self, answer: Answer) -> NoReturn:
        """Say what the status means to an operator.

        Raises:
            BackendError: always.
        """
        said = _message(answer.body)
        tail = f": {said}" if said else ""
        if answer.status == 401:
            raise Refused(f"401: {self._name} refuses the credentials{tail}")
        if answer.status == 403:
            raise Refused(f"403: the credentials lack a permission{tail}")
        if 300 <= answer.status < 400:
            raise BackendError(f"answered {answer.status}: it sends us elsewhere, where we do not follow")
        raise BackendError(f"answered {answer.status} {clean(answer.reason, 40)}{tail}".rstrip())

    async def close(self) -> None:
        """Close the connections."""
        kept, self._kept = self._kept, []
        for wire in kept:
            wire.abort()

    async def ready(self) -> None:
        """Have the certificates read, by whichever of several first requests comes first, and off the loop.

        Raises:
            BackendError: the certificates cannot be used.
        """
        if self._tls is None and self._url.startswith("https:"):
            async with self._building:
                if self._tls is None:
                    self._tls = await self._builder.call(self._timeout_s, self._context)

    async def _ask(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        body: bytes | None = None,
    ) -> Answer:
        await self.ready()
        request = self._request(method, path, params, headers, body)
        answering = Answering(self.place, self._max_bytes, method == "HEAD")
        try:
            async with asyncio.timeout(self._timeout_s), self._room:
                wire = self._free() or await self._connected()
                await wire.exchange(request, answering)
        except TimeoutError:
            words = f"{self._name} did not answer within {self._timeout_s:g} s"
            raise TimedOut((self._unix_socket is None and unresolved(self._goal().host)) or words) from None
        if wire.is_free and len(self._kept) < MOST_KEPT:
            self._kept.append(wire)
        else:
            wire.abort()
        return Answer(answering.status, answering.reason, answering.body)

    def _free(self) -> Wire | None:
        while self._kept:
            wire = self._kept.pop()
            if wire.is_free:
                return wire
        return None

    async def _connected(self) -> Wire:
        """A new connection.

        Raises:
            Unreachable: there is none to be had.
        """
        loop, goal = asyncio.get_running_loop(), self._goal()
        how: dict[str, Any] = {"ssl": self._tls, "server_hostname": goal.host if goal.is_tls else None}
        try:
            if self._unix_socket is not None:
                made = await loop.create_unix_connection(lambda: Wire(self._name), self._unix_socket, **how)
            else:
                how["happy_eyeballs_delay"] = HAPPY_S
                with suspected(goal.host, self._timeout_s / 2):
                    made = await loop.create_connection(lambda: Wire(self._name), goal.host, goal.port, **how)
        except TimeoutError:
            raise
        except (OSError, UnicodeError) as error:
            raise Unreachable(_unreachable(self.place, str(error))) from None
        return made[1]

    def _goal(self) -> Goal:
        try:
            return Goal.of(self._url)
        except BackendError as error:
            raise BackendError(f"{self._name}: {error}") from None

    def _request(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        body: bytes | None = None,
    ) -> bytes:
        """What is asked again every second is put together once."""
        wanted = (method, path, tuple((params or {}).items()), tuple((headers or {}).items()), body)
        known = self._asked.get(path)
        if known is None or known[0] != wanted:
            try:
                request = self._goal().request(method, path, params, {**HEADERS, **(headers or {})}, body)
            except BackendError as error:
                raise BackendError(f"{self._name}: {error}") from None
            known = self._asked[path] = (wanted, request)
        return known[1]

    def _context(self) -> ssl.SSLContext:
        """Read the machine's certificate authorities (25 ms); blocks."""
        try:
            context = ssl.create_default_context()
            if self._trust.ca is not None:
                context.load_verify_locations(self._trust.ca)
            elif not context.get_ca_certs():
                import certifi

                context.load_verify_locations(certifi.where())
            if self._trust.certificate is not None:
                context.load_cert_chain(self._trust.certificate, self._trust.key)
        except OSError as error:
            raise BackendError(f"cannot load the certificates for {self._name}: {clean(error)}") from None
        return context


def _message(body: bytes) -> str:
    """What a JSON error body says of itself: `message`, as Grafana, Docker, Kubernetes and Kite write it."""
    try:
        parsed = json.loads(body[:65536])
    except (ValueError, RecursionError):
        return ""
    said = parsed.get("message") if isinstance(parsed, dict) else None
    return clean(said, 120) if isinstance(said, str) else ""


def _unreachable(place: str, error: str) -> str:
    """Why there is no connection.

    >>> _unreachable("http://127.0.0.1:3000", "[Errno 111] Connect call failed")
    'cannot reach http://127.0.0.1:3000: connection refused'
    >>> _unreachable("/run/docker.sock", "[Errno 2] No such file or directory")
    'cannot reach /run/docker.sock: there is no such socket'
    """
    if "CERTIFICATE_VERIFY_FAILED" in error:
        reason = "its certificate is not trusted: " + error.partition("verify failed: ")[2].partition(" (_ssl")[0]
    elif "[SSL" in error or "TLS" in error:
        reason = "it does not speak TLS as we do"
    elif "Errno 2]" in error:
        reason = "there is no such socket"
    elif "Errno 13]" in error:
        reason = "no permission to open the socket"
    elif "Name or service not known" in error or "name resolution" in error or "Errno -" in error:
        reason = "its name is not known"
    elif "Errno 113]" in error or "Errno 101]" in error:
        reason = "no route to it"
    elif "Errno 111]" in error:
        reason = "connection refused"
    else:
        reason = error
    return f"cannot reach {place}: {clean(reason, 120)}"
