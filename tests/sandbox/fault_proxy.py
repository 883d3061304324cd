"""Stands between a cockpit and a backend, and breaks the way as it is told."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from itertools import cycle
from pathlib import Path
from typing import Any

FLOOD_BYTES = 100 << 20
PIECE = b"x" * (1 << 16)
GARBAGE = bytes(range(256)) * 4
DRIP_S = 0.25
FLAP_S = 0.7
CLOSED_S = (0.7, 2.3)
"""In turn: a probe that comes as regularly as the way flaps could always find it open."""
Words = Callable[[bytes], bytes]
Peer = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class FaultProxy:
    """One way to one backend; `break_with` and `heal` may be called from any thread.

    pass          bytes go both ways
    refused       nobody listens, connections are cut
    black-hole    connections are taken and cut off from the backend at once
    hang          connections stay, nothing goes through any more
    garbage       whatever is asked is answered with rubbish
    drip          the answer comes byte by byte
    flapping      refused and well in turn
    flood         whatever is asked is answered with `preface` and 100 MB
    says          whatever is asked is answered with `words`, and that is all
    """

    def __init__(self, connect: Callable[[], Any], preface: bytes, unix_path: str | None = None) -> None:
        self._connect = connect
        self._preface = preface
        self._unix_path = unix_path
        self._mode = "pass"
        self._words: Words = _nothing
        self.asked = 0
        """How often it was asked since it was broken last."""
        self._server: asyncio.AbstractServer | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._flapping: asyncio.Task[None] | None = None
        self._loop = asyncio.new_event_loop()
        self.port = 0
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._call(self._listen())

    def break_with(self, mode: str, words: Words | None = None) -> None:
        """From now on; what is answered to what is asked, where it `says` something."""
        self._call(self._turn(mode, words))

    def heal(self) -> None:
        """As if nothing had been."""
        self._call(self._turn("pass"))

    def close(self) -> None:
        """End of the way."""
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5.0)

    def _call(self, coroutine: Any) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10.0)

    async def _listen(self) -> None:
        if self._server is not None:
            return
        if self._unix_path is not None:
            self._server = await asyncio.start_unix_server(self._accept, self._unix_path)
            return
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _turn(self, mode: str, words: Words | None = None) -> None:
        if self._flapping is not None:
            self._flapping.cancel()
            self._flapping = None
        self._mode, self._words, self.asked = mode, words or _nothing, 0
        if mode == "refused":
            self._deafen()
        elif mode == "flapping":
            self._flapping = asyncio.ensure_future(self._flap())
        else:
            if mode != "hang":
                self._cut()
            await self._listen()

    async def _end(self) -> None:
        await self._turn("refused")
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _flap(self) -> None:
        for closed_s in cycle(CLOSED_S):
            self._deafen()
            await asyncio.sleep(closed_s)
            await self._listen()
            await asyncio.sleep(FLAP_S)

    def _deafen(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
            if self._unix_path is not None:
                Path(self._unix_path).unlink(missing_ok=True)
        self._cut()

    def _cut(self) -> None:
        for writer in tuple(self._open):
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        far: asyncio.StreamWriter | None = None
        try:
            if self._mode in ("black-hole", "hang"):
                await asyncio.sleep(3600)
            far_reader, far = await self._connect()
            self._open.add(far)
            await asyncio.gather(self._ask(reader, writer, far), self._answer(far_reader, writer))
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            for one in (writer, far):
                if one is not None:
                    self._open.discard(one)
                    one.transport.abort()

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        async for piece in _pieces(reader):
            mode = self._mode
            self.asked += 1
            if mode == "garbage":
                writer.write(GARBAGE)
            elif mode == "says":
                writer.write(self._words(piece))
                await writer.drain()
            elif mode == "flood":
                await self._flood(writer)
            elif mode != "hang":
                far.write(piece)
                await far.drain()
        far.transport.abort()

    async def _answer(self, far: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for piece in _pieces(far):
            if self._mode == "drip":
                for at in range(len(piece)):
                    writer.write(piece[at : at + 1])
                    await asyncio.sleep(DRIP_S)
            elif self._mode not in ("hang", "garbage", "flood", "says"):
                writer.write(piece)
                await writer.drain()
        writer.transport.abort()

    async def _flood(self, writer: asyncio.StreamWriter) -> None:
        writer.write(self._preface)
        for _ in range(FLOOD_BYTES // len(PIECE)):
            if writer.is_closing():
                return
            writer.write(PIECE)
            await writer.drain()


def _nothing(asked: bytes) -> bytes:
    return b""


async def _pieces(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while piece := await reader.read(1 << 16):
        yield piece
