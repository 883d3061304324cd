"""JSON over HTTP, mistrusted: a total deadline, a cap on size, no redirects, no proxies, errors in operators' words."""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast
from urllib.parse import urlsplit

from cockpit.clients.bounded import SoloThread, bounded
from cockpit.errors import BackendError, Refused, TimedOut, Unreachable
from cockpit.text import clean

if TYPE_CHECKING:
    import httpx

MAX_BYTES = 8 << 20
"""A Grafana with thousands of rules answers 3 MB; beyond this it is no answer but an accident or an attack."""
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
            return json.loads(self.body)
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
    """One server; one httpx transport with its kept-alive connections, built on the first call and off the loop."""

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
        self._transport: httpx.AsyncHTTPTransport | None = None
        self._asked: dict[str, tuple[object, httpx.Request]] = {}

    @property
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
        await self.ready()
        return await bounded(self._send("GET", path, params, headers), self._timeout_s, self._name)

    async def post(self, path: str, params: Mapping[str, str] | None = None) -> Answer:
        """Have something done that the path names; any status is an answer. It is sent once.

        Raises:
            Unreachable: it was not sent.
            BackendError: nothing came back in time: it may have been done.
        """
        await self.ready()
        return await bounded(self._send("POST", path, params, None), self._timeout_s, self._name)

    async def send(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """Send it once, and take any status for an answer; nothing is followed.

        Raises:
            Unreachable: it was not sent.
            BackendError: nothing came back, too late, or too much: it may have been done.
        """
        await self.ready()
        return await bounded(self._send(method, path, None, headers, body), self._timeout_s, self._name)

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
        return answer.json()

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
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.aclose()

    async def ready(self) -> None:
        """Have the client built, by whichever of several first requests comes first.

        Raises:
            BackendError: the certificates cannot be used.
        """
        if self._transport is None:
            async with self._building:
                if self._transport is None:
                    await self._builder.call(self._timeout_s, self._build)

    async def _send(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        body: bytes | None = None,
    ) -> Answer:
        import httpx

        assert self._transport is not None
        try:
            response = await self._transport.handle_async_request(self._request(method, path, params, headers, body))
            stream = cast("httpx.AsyncByteStream", response.stream)
            try:
                said = bytearray()
                # Raw: no compression was offered, so that a small body cannot unpack into a big one.
                async for chunk in stream:
                    said += chunk
                    if len(said) > self._max_bytes:
                        raise BackendError(f"answered more than {self._max_bytes >> 20} MB")
            finally:
                await stream.aclose()
            return Answer(response.status_code, response.reason_phrase, bytes(said))
        except httpx.TimeoutException:
            raise TimedOut(f"{self._name} did not answer within {self._timeout_s:g} s") from None
        except httpx.ConnectError as error:
            raise Unreachable(_unreachable(self.place, str(error))) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise BackendError(_broken(self._name, self.place, error)) from None

    def _request(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        body: bytes | None = None,
    ) -> httpx.Request:
        """What is asked again every second is put together once: that took a quarter of the whole exchange."""
        import httpx

        wanted = (method, path, tuple((params or {}).items()), tuple((headers or {}).items()), body)
        known = self._asked.get(path)
        if known is None or known[0] != wanted:
            url = httpx.URL(self._url + path, params=params) if params else httpx.URL(self._url + path)
            limits = httpx.Timeout(self._timeout_s).as_dict()
            sent = {**HEADERS, **(headers or {})}
            request = httpx.Request(method, url, headers=sent, content=body, extensions={"timeout": limits})
            known = self._asked[path] = (wanted, request)
        return known[1]

    def _build(self) -> None:
        """Import httpx (60 ms) and read the machine's certificate authorities (25 ms); blocks."""
        _lighten()
        import httpx

        limits = httpx.Limits(max_connections=8, max_keepalive_connections=4)
        context = self._context()
        # The transport alone: what a client adds (cookies, redirects, authentication, proxies) is not wanted here.
        self._transport = httpx.AsyncHTTPTransport(
            verify=context, trust_env=False, limits=limits, uds=self._unix_socket
        )

    def _context(self) -> ssl.SSLContext:
        if not self._url.startswith("https:"):
            # Nothing will be encrypted; loading the authorities would cost 25 ms and some megabytes.
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
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


def _lighten() -> None:
    """Let httpx not find what it can do without: None in sys.modules is an import that fails at once."""
    without: dict[str, Any] = {"httpx._main": None}  # its command line, which loads rich wherever click is installed
    if find_spec("sniffio") is None:
        without["sniffio"] = None  # httpcore looks for it on disk several times a request: a fifth of the CPU
    for name, nothing in without.items():
        sys.modules.setdefault(name, nothing)


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

    >>> _unreachable("http://127.0.0.1:3000", "All connection attempts failed")
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
    elif "Errno 111]" in error or "All connection attempts failed" in error:
        # anyio says so when every address refused; a single address keeps its errno only in some versions.
        reason = "connection refused"
    else:
        reason = error
    return f"cannot reach {place}: {clean(reason, 120)}"


def _broken(name: str, place: str, error: Exception) -> str:
    """What else can go wrong on the way."""
    text = str(error)
    if "without sending a response" in text or type(error).__name__ == "ReadError":
        return f"{name} hung up without an answer"
    if type(error).__name__ == "RemoteProtocolError":
        return f"{place} does not speak HTTP: {clean(text, 80)}"
    return f"{name}: {clean(text or type(error).__name__, 120)}"
