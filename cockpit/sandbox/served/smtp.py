"""A mail server that keeps what it receives and delivers nothing."""

from __future__ import annotations

import asyncio
import email
import email.policy
import weakref
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from cockpit.sandbox.knobs import Gate
from cockpit.sandbox.served.door import Door
from cockpit.sandbox.served.inbox import Inbox

MAX_MAIL_BYTES = 1 << 20


class _Silence(asyncio.Protocol):
    """Accepts, never greets, and hangs up when the black hole is gone."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self.transport: asyncio.Transport | None = None
        self._end: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._end = asyncio.create_task(self._hang_up(transport))

    def connection_lost(self, _problem: Exception | None) -> None:
        if self._end is not None:
            self._end.cancel()

    async def _hang_up(self, transport: asyncio.Transport) -> None:
        await self._door.passage()
        transport.abort()


class _OutOfOrder(asyncio.Protocol):
    """Says 421 instead of a greeting."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"421 4.3.2 Service not available, try again later\r\n")
        transport.close()


class SmtpServer:
    """Takes mail on a loopback port."""

    def __init__(self, port: int, file: Path, gate: Callable[[], Gate]) -> None:
        self._gate = gate
        self.inbox = Inbox(file)
        self._protocols: weakref.WeakSet[Any] = weakref.WeakSet()
        self._door = Door(port, self._protocol, gate, self._transports)

    async def start(self) -> None:
        """Listen."""
        await self._door.start()

    async def stop(self) -> None:
        """Drop every session and stop listening."""
        await self._door.stop()

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """Keep one message (called by aiosmtpd)."""
        await self._door.passage()
        if self._gate() == "error":
            return "451 4.3.0 Local error in processing"
        raw = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content or "").encode()
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        body = mail.get_body(("plain", "html"))
        self.inbox.keep(
            {
                "from": envelope.mail_from,
                "to": list(envelope.rcpt_tos),
                "subject": str(mail.get("Subject", "")),
                "body": _text(body),
            }
        )
        return "250 2.0.0 Message accepted"

    def _protocol(self) -> asyncio.BaseProtocol:
        gate = self._gate()
        protocol: Any
        if gate == "blackhole":
            protocol = _Silence(self._door)
        elif gate == "error":
            protocol = _OutOfOrder()
        else:
            protocol = SMTP(
                self,
                data_size_limit=MAX_MAIL_BYTES,
                enable_SMTPUTF8=True,
                hostname="sandbox.invalid",
                ident="sandbox mail",
                loop=asyncio.get_running_loop(),
            )
        self._protocols.add(protocol)
        return protocol  # type: ignore[no-any-return]

    def _transports(self) -> Iterable[asyncio.BaseTransport | None]:
        return [getattr(protocol, "transport", None) for protocol in list(self._protocols)]


def _text(part: Any) -> str:
    """Return a mail part as text, undecodable bytes replaced."""
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except (LookupError, ValueError):
        return bytes(part.get_payload(decode=True) or b"").decode(errors="replace")
