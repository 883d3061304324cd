"""A listening socket that obeys a gate: listens, refuses, or lets callers wait for ever."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Iterable
from pathlib import Path

from cockpit.sandbox.ending import end
from cockpit.sandbox.knobs import Gate

# A gate is a plain callable: the socket closes and opens at the next look at it (requests are judged at once).
LOOK_EVERY_S = 0.25

ProtocolFactory = Callable[[], asyncio.BaseProtocol]


class _Refusal(asyncio.Protocol):
    """Drops whoever got in between the gate's fall and the socket's end."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()


class Door:
    """Listens on a loopback port (int) or a unix socket (Path) whenever its gate is not down."""

    def __init__(
        self,
        address: int | Path,
        factory: ProtocolFactory,
        gate: Callable[[], Gate],
        transports: Callable[[], Iterable[asyncio.BaseTransport | None]],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._address = address
        self._factory = factory
        self._gate = gate
        self._transports = transports
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._bound: socket.socket | None = None
        self._watch: asyncio.Task[None] | None = None
        self._waiting: set[asyncio.Future[None]] = set()
        self._is_stopping = False

    @property
    def gate(self) -> Gate:
        """The gate as it stands now."""
        return self._gate()

    async def start(self) -> None:
        """Listen (unless the gate is down) and obey the gate until stopped."""
        if isinstance(self._address, int):
            self._bound = _bind_port(self._address)
        await self._follow()
        self._watch = asyncio.create_task(self._look(), name=f"gate of {self._address}")

    async def stop(self) -> None:
        """Stop listening, drop every connection, release whoever waits."""
        self._is_stopping = True
        await end(self._watch)
        self._release()
        self._shut()
        self._abort_all()
        if self._bound is not None:
            self._bound.close()
        if isinstance(self._address, Path):
            self._address.unlink(missing_ok=True)

    async def passage(self) -> None:
        """Return once the gate is no black hole (at once when it is none) or the door stops."""
        while not self._is_stopping and self._gate() == "blackhole":
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.add(waiter)
            try:
                await waiter
            finally:
                self._waiting.discard(waiter)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            with contextlib.suppress(OSError):  # a port that cannot be listened on now is tried again at the next look
                await self._follow()

    async def _follow(self) -> None:
        gate = self._gate()
        if gate == "down":
            if self._server is not None:
                self._shut()
                self._abort_all()
        elif self._server is None:
            await self._listen()
        if gate != "blackhole":
            self._release()

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        if isinstance(self._address, Path):
            self._server = await loop.create_unix_server(self._enter, sock=_bind_path(self._address))
        elif self._bound is not None:
            self._server = await loop.create_server(self._enter, sock=self._bound.dup(), ssl=self._tls)

    def _enter(self) -> asyncio.BaseProtocol:
        return _Refusal() if self._gate() == "down" else self._factory()

    def _shut(self) -> None:
        if self._server is None:
            return
        self._server.close()
        self._server = None
        if self._bound is not None:
            # The duplicate is closed but the socket would go on listening; after shutdown() it refuses callers
            # and still holds its port, so that nobody else can take it meanwhile.
            with contextlib.suppress(OSError):
                self._bound.shutdown(socket.SHUT_RDWR)

    def _abort_all(self) -> None:
        for transport in list(self._transports()):
            if isinstance(transport, asyncio.WriteTransport):
                transport.abort()

    def _release(self) -> None:
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)


def _bind_port(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", port))
    return sock


def _bind_path(path: Path) -> socket.socket:
    """Bind a unix socket that only its owner can open; it refuses callers until it is listened on."""
    path.unlink(missing_ok=True)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.bind(str(path))
    path.chmod(0o600)
    return sock
