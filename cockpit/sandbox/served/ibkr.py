"""IB Gateway's socket: the handshake, and the little that a client asks right after it has logged in."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cockpit.sandbox.knobs import Gate, VenueMode
from cockpit.sandbox.served.door import Door

SERVER_VERSION = 176
OLDEST_CLIENT = 100
ACCOUNT = "DU0000001"
MAX_FRAME_BYTES = 1 << 20
SLOW_S = 0.8
LOOK_EVERY_S = 0.5

Positions = Callable[[], Mapping[str, tuple[float, float]]]
"""Quantity and average price by symbol, as the venue has them now."""

# What a logged-in session is told of the broker's own connections; -1 is IBKR's way to say "no request".
TROUBLE: dict[VenueMode, tuple[int, str]] = {
    "reset": (1100, "Connectivity between IB and Trader Workstation has been lost."),
    "partial": (2103, "Market data farm connection is broken:usfarm"),
}
COMFORT: dict[VenueMode, tuple[int, str]] = {
    "reset": (1102, "Connectivity between IB and Trader Workstation has been restored - data maintained."),
    "partial": (2104, "Market data farm connection is OK:usfarm"),
}


def _no_positions() -> Mapping[str, tuple[float, float]]:
    return {}


@dataclass(eq=False, slots=True)
class _Session:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    client_id: str | None = None
    told: VenueMode = "up"
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def send(self, *fields: object) -> None:
        payload = "".join(f"{item}\0" for item in fields).encode()
        self.writer.write(struct.pack(">I", len(payload)) + payload)

    async def frame(self) -> list[str]:
        """Read one message's fields; IncompleteReadError at the end, ValueError on what is no TWS frame."""
        size = struct.unpack(">I", await self.reader.readexactly(4))[0]
        if size > MAX_FRAME_BYTES:
            raise ValueError(f"frame of {size} bytes")
        return (await self.reader.readexactly(size)).decode(errors="replace").split("\0")

    def tell(self, code: int, message: str) -> None:
        self.send(4, 2, -1, code, message, "")


class IbkrGateway:
    """Answers API clients as an IB Gateway does, in the mood that the venue is in."""

    def __init__(self, port: int, mode: Callable[[], VenueMode], positions: Positions = _no_positions) -> None:
        self._mode = mode
        self._positions = positions
        self._sessions: set[_Session] = set()
        self._door = Door(port, self._protocol, self._gate, self._transports)

    async def start(self) -> None:
        """Listen (the port refuses while the venue is down)."""
        await self._door.start()

    async def stop(self) -> None:
        """Drop every session and stop listening."""
        await self._door.stop()
        tasks = [task for session in self._sessions for task in session.tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _gate(self) -> Gate:
        mode = self._mode()
        return mode if mode in ("down", "blackhole") else "open"

    def _transports(self) -> Iterable[asyncio.BaseTransport]:
        return [session.writer.transport for session in self._sessions]

    def _protocol(self) -> asyncio.BaseProtocol:
        reader = asyncio.StreamReader()
        return asyncio.StreamReaderProtocol(reader, self._accept)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = _Session(reader, writer)
        self._sessions.add(session)
        session.tasks.append(asyncio.create_task(self._serve(session), name="ibkr session"))

    async def _serve(self, session: _Session) -> None:
        try:
            await self._handshake(session)
            while True:
                fields = await session.frame()
                await self._pause()
                self._answer(session, fields)
                await session.writer.drain()
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # not a TWS client, or gone: the gateway hangs up without a word
        finally:
            self._sessions.discard(session)
            for task in session.tasks[1:]:
                task.cancel()
            session.writer.transport.abort()

    async def _pause(self) -> None:
        await self._door.passage()
        if self._mode() == "slow":
            await asyncio.sleep(SLOW_S)

    async def _handshake(self, session: _Session) -> None:
        if await session.reader.readexactly(4) != b"API\0":
            raise ValueError("no API client")
        fields = await session.frame()
        await self._pause()
        session.send(_agreed(fields[0]), datetime.now(UTC).strftime("%Y%m%d %H:%M:%S UTC"))
        await session.writer.drain()

    def _answer(self, session: _Session, fields: list[str]) -> None:
        kind, rest = fields[0], fields[1:]
        if kind == "71":
            self._log_in(session, client_id=rest[1] if len(rest) > 1 else "0")
        elif session.client_id is None:
            raise ValueError("not logged in")
        elif kind == "49":
            session.send(49, 1, int(datetime.now(UTC).timestamp()))
        elif kind == "61":
            self._send_positions(session)
        elif kind == "6":
            session.send(54, 1, ACCOUNT)
        elif kind == "5":
            session.send(53, 1)
        elif kind == "99":
            session.send(102)
        elif kind == "7":
            session.send(55, 1, rest[1] if len(rest) > 1 else -1)
        elif kind == "76":
            session.send(74, 1, rest[1] if len(rest) > 1 else -1)

    def _log_in(self, session: _Session, client_id: str) -> None:
        if any(other.client_id == client_id for other in self._sessions):
            session.send(4, 2, -1, 326, "Unable to connect as the client id is already in use.", "")
            raise ValueError("client id in use")
        session.client_id = client_id
        session.send(15, 1, ACCOUNT)
        session.send(9, 1, 1)
        session.tell(2104, "Market data farm connection is OK:usfarm")
        session.tasks.append(asyncio.create_task(self._keep_informed(session), name="ibkr notices"))

    def _send_positions(self, session: _Session) -> None:
        for number, (symbol, (quantity, average)) in enumerate(sorted(self._positions().items()), start=1):
            contract = (number, symbol, "STK", "", "0", "", "", "", "USD", symbol, symbol)
            session.send(61, 3, ACCOUNT, *contract, quantity, average)
        session.send(62, 1)

    async def _keep_informed(self, session: _Session) -> None:
        """Tell a logged-in session when the broker's side breaks and heals, as only such a session learns it."""
        with contextlib.suppress(OSError):
            while True:
                mode = self._mode()
                if mode != session.told:
                    if notice := COMFORT.get(session.told):
                        session.tell(*notice)
                    if notice := TROUBLE.get(mode):
                        session.tell(*notice)
                    session.told = mode
                    await session.writer.drain()
                await asyncio.sleep(LOOK_EVERY_S)


def _agreed(offer: str) -> int:
    """Return the protocol version both sides speak.

    >>> _agreed("v157..178"), _agreed("v100..150 +PACEAPI")
    (176, 150)
    """
    low, _, high = offer.partition(" ")[0].removeprefix("v").partition("..")
    oldest, newest = int(low), int(high or low)
    if newest < OLDEST_CLIENT or oldest > SERVER_VERSION:
        raise ValueError(f"no common version with {offer}")
    return min(newest, SERVER_VERSION)
