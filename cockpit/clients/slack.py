"""A Slack incoming webhook: one message, posted once a try; the address is a secret and never in what is said."""

from __future__ import annotations

import asyncio
import json
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cockpit.clients.bounded import in_daemon_thread
from cockpit.clients.delivery import Outcome, Try, resolved
from cockpit.errors import CockpitError, Refused
from cockpit.text import clean

if TYPE_CHECKING:
    import httpx

LONGEST_BODY_BYTES = 4096
PERHAPS_TAKEN = frozenset({502, 504})
"""A gateway's answers: what stands behind it may have taken the message all the same."""
TRY_AGAIN = frozenset({408, 425, 429, 500, 503})


@dataclass(frozen=True, slots=True)
class _Hook:
    """The webhook, resolved."""

    scheme: str
    host: str
    port: int
    address: str
    path: str

    @property
    def url(self) -> str:
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{self.scheme}://{address}:{self.port}{self.path}"

    @property
    def headers(self) -> dict[str, str]:
        usual = {"http": 80, "https": 443}[self.scheme]
        host = self.host if self.port == usual else f"{self.host}:{self.port}"
        return {"Host": host, "Content-Type": "application/json", "User-Agent": "ops-cockpit"}


async def post(url: str, text: str, is_confined: bool, within_s: float) -> Try:
    """One try."""
    sent: list[bool] = []
    try:
        async with asyncio.timeout(within_s):
            hook = await asyncio.wrap_future(in_daemon_thread(_hook, url, is_confined))
            return await _post(hook, text, within_s, sent)
    except Refused as error:
        return Try(Outcome.REFUSED, str(error))
    except CockpitError as error:
        return Try(Outcome.LATER, str(error))
    except TimeoutError:
        return _broken(f"no answer within {within_s:.3g} s", bool(sent))


def _hook(url: str, is_confined: bool) -> _Hook:
    """Blocks while the name is looked up."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
        host = parts.hostname or ""
    except (ValueError, KeyError):
        host, port = "", 0
    if not host or not parts.path or not url.isprintable():
        raise Refused("routing.slack.webhook_url is no address of a webhook")
    if parts.scheme == "http" and not is_confined:
        raise Refused("routing.slack.webhook_url is not https: the message would be readable on its way")
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return _Hook(parts.scheme, host, port, resolved(host, port, is_confined), path)


async def _post(hook: _Hook, text: str, within_s: float, sent: list[bool]) -> Try:
    import httpx

    async def trace(event: str, _info: Any) -> None:
        if event.endswith("send_request_headers.started"):
            sent.append(True)

    # A new connection for each try: one that was kept alive may be dead without our knowing it.
    context = await asyncio.wrap_future(in_daemon_thread(ssl.create_default_context))
    try:
        async with httpx.AsyncClient(verify=context, trust_env=False, timeout=within_s) as client:
            extensions = {"trace": trace, "sni_hostname": hook.host}
            told = json.dumps({"text": escaped(text), "mrkdwn": False, "unfurl_links": False}).encode()
            request = client.build_request("POST", hook.url, content=told, headers=hook.headers, extensions=extensions)
            response = await client.send(request, stream=True)
            try:
                return _judged(response, await _body(response))
            finally:
                await response.aclose()
    except httpx.HTTPError as error:
        # Its own words could hold the address.
        return _broken(_kind(error), bool(sent))


async def _body(response: httpx.Response) -> str:
    """The first words of the answer; it is short, and says what is wrong."""
    import httpx

    found = bytearray()
    try:
        async for chunk in response.aiter_raw():
            found += chunk
            if len(found) > LONGEST_BODY_BYTES:
                break
    except httpx.HTTPError:
        pass  # the status has come, and it is what counts
    return clean(bytes(found[:LONGEST_BODY_BYTES]).decode("utf-8", "replace").strip(), 80)


def _judged(response: httpx.Response, said: str) -> Try:
    status = response.status_code
    words = f"{status} {said}".strip()
    if 200 <= status < 300:
        return Try(Outcome.DELIVERED, words)
    if status in PERHAPS_TAKEN:
        return Try(Outcome.UNKNOWN, f"{words}: a gateway answered, it may have been taken")
    if status in TRY_AGAIN:
        return Try(Outcome.LATER, words, _after_s(response.headers.get("Retry-After")))
    return Try(Outcome.REFUSED, words)


def _after_s(header: str | None) -> float | None:
    """Seconds, or a date.

    >>> _after_s("7"), _after_s(None), _after_s("soon")
    (7.0, None, None)
    """
    if header is None:
        return None
    if header.strip().isdigit():
        return float(header.strip())
    try:
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _kind(error: httpx.HTTPError) -> str:
    import httpx

    if isinstance(error, httpx.ConnectTimeout):
        return "no connection in time"
    if isinstance(error, httpx.ConnectError):
        words = str(error).lower()
        if "certificate" in words or "ssl" in words or "tls" in words:
            return "no trustworthy TLS connection"
        return "no connection"
    return "the connection broke off" if isinstance(error, httpx.NetworkError | httpx.ProtocolError) else "no answer"


def _broken(words: str, was_sent: bool) -> Try:
    if was_sent:
        return Try(Outcome.UNKNOWN, f"{words} after the message was sent")
    return Try(Outcome.LATER, words)


def escaped(text: str) -> str:
    """Slack's three characters.

    >>> escaped("a < b & <!channel>")
    'a &lt; b &amp; &lt;!channel&gt;'
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
