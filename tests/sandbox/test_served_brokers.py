"""The brokers' faces: IB Gateway met by the real ib_async, Kite by httpx."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator

import httpx
import pytest
from ib_async import IB
from served_runtimes import Box, eventually, free_port, serving

from cockpit.clock import SystemClock
from cockpit.config import Settings
from cockpit.model.states import NOT_READ
from cockpit.parts import parsed
from cockpit.probes.reach import ReachProbe
from cockpit.sandbox.served.ibkr import ACCOUNT, IbkrGateway
from cockpit.sandbox.served.kite import KiteServer
from tests.patience import PATIENCE_S


class Broker:
    def __init__(self, port: int, mode: Box) -> None:
        self.port, self.mode = port, mode

    def kite(self, read_s: float = PATIENCE_S, **headers: str) -> httpx.AsyncClient:
        base = {"X-Kite-Version": "3", **headers}
        timeout = httpx.Timeout(PATIENCE_S, read=read_s)
        return httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", headers=base, timeout=timeout)


@pytest.fixture
async def gateway() -> AsyncIterator[Broker]:
    mode, port = Box(), free_port()
    mode.value = "up"
    async with serving(IbkrGateway(port, mode, lambda: {"AAPL": (100.0, 187.5), "MSFT": (-20.0, 402.25)})):
        yield Broker(port, mode)


@pytest.fixture
async def kite() -> AsyncIterator[Broker]:
    mode, port = Box(), free_port()
    mode.value = "up"
    async with serving(KiteServer(port, mode, "key", "secret", lambda: {"INFY": (-3.0, 1500.0)})):
        yield Broker(port, mode)


async def handshake(port: int, timeout_s: float = PATIENCE_S) -> list[str]:
    async def talk() -> list[str]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            offer = b"v100..176"
            writer.write(b"API\0" + struct.pack(">I", len(offer)) + offer)
            size = struct.unpack(">I", await reader.readexactly(4))[0]
            return (await reader.readexactly(size)).decode().split("\0")
        finally:
            writer.transport.abort()

    return await asyncio.wait_for(talk(), timeout_s)


async def test_ib_async_connects_and_reads(gateway: Broker) -> None:
    ib, errors = IB(), []
    ib.errorEvent += lambda _id, code, *_: errors.append(code)
    await ib.connectAsync("127.0.0.1", gateway.port, clientId=7, timeout=PATIENCE_S)
    try:
        assert ib.managedAccounts() == [ACCOUNT] and ib.client.serverVersion() == 176
        assert {p.contract.symbol: (p.position, p.avgCost) for p in ib.positions()} == {
            "AAPL": (100.0, 187.5),
            "MSFT": (-20.0, 402.25),
        }
        assert (await ib.reqCurrentTimeAsync()).year >= 2024
        gateway.mode.value = "reset"
        await eventually(lambda: 1100 in errors)
        assert ib.isConnected() and (await handshake(gateway.port))[0] == "176"
        gateway.mode.value = "up"
        await eventually(lambda: 1102 in errors)
        gateway.mode.value = "down"
        await eventually(lambda: not ib.isConnected())
    finally:
        ib.disconnect()


def looking(monkeypatch: pytest.MonkeyPatch, **venue: object) -> ReachProbe:
    """The cockpit's own look."""
    monkeypatch.setenv("TEST_KITE", "key:secret")
    monkeypatch.setattr("cockpit.probes.reach.HELD_EVERY_S", 0.0)
    return ReachProbe(parsed(Settings, {"site": "t", "root": "/nowhere", "venues": [venue]}), SystemClock())


async def test_the_cockpit_reads_what_the_gateway_holds(gateway: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"tws://127.0.0.1:{gateway.port}"
    unasked = looking(monkeypatch, name="IBKR", probe=url)
    assert (await unasked.read())[0].held == NOT_READ, "nobody is logged in unless the configuration says as whom"
    probe = looking(monkeypatch, name="IBKR", probe=url, client_id=91)
    for _ in range(2):
        assert (await probe.read())[0].held.value == {"AAPL": (100.0,), "MSFT": (-20.0,)}, "the client id is given back"
    ib = IB()
    await ib.connectAsync("127.0.0.1", gateway.port, clientId=91, timeout=PATIENCE_S)
    taken = (await probe.read())[0].held
    ib.disconnect()
    assert "already in use" in (taken.error or "") and taken.value, "the last word is kept, with its age"
    gateway.mode.value = "down"

    async def is_down() -> bool:
        return not (await probe.read())[0].is_up

    await eventually(lambda: asyncio.ensure_future(is_down()))
    assert (await probe.read())[0].held == taken, "a broker that is down is not asked"


async def test_the_cockpit_reads_what_kite_holds(kite: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    venue = {"name": "ZERODHA", "probe": f"http://127.0.0.1:{kite.port}", "token": {"env": "TEST_KITE"}}
    probe = looking(monkeypatch, **venue)
    assert (await probe.read())[0].held.value == {"INFY": (-3.0,)}
    await probe.close()


async def test_the_gateway_s_moods(gateway: Broker) -> None:
    assert (await handshake(gateway.port))[0] == "176"
    gateway.mode.value = "blackhole"
    with pytest.raises(TimeoutError):
        await handshake(gateway.port, 0.3)
    gateway.mode.value = "slow"
    with pytest.raises(TimeoutError):
        await handshake(gateway.port, 0.3)
    assert (await handshake(gateway.port))[0] == "176"
    gateway.mode.value = "down"

    async def refused() -> bool:
        try:
            await handshake(gateway.port)
        except ConnectionRefusedError:
            return True
        except (OSError, asyncio.IncompleteReadError):
            return False
        return False

    await eventually(refused)
    gateway.mode.value = "partial"
    await eventually(lambda: asyncio.ensure_future(_answers(gateway.port)))
    gateway.mode.value = "blackhole"


async def _answers(port: int) -> bool:
    try:
        return (await handshake(port))[0] == "176"
    except OSError:
        return False


@pytest.mark.parametrize("bytes_sent", [b"GET / HTTP/1.0\r\n\r\n", b"API\0\xff\xff\xff\xff", b"API\0\0\0\0\3abc"])
async def test_the_gateway_hangs_up_on_strangers(gateway: Broker, bytes_sent: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(bytes_sent)
    with pytest.raises((OSError, asyncio.IncompleteReadError)):
        await asyncio.wait_for(reader.readexactly(1), PATIENCE_S)
    writer.close()


async def test_kite_tells_up_from_logged_in_and_dead(kite: Broker) -> None:
    async with kite.kite() as stranger, kite.kite(Authorization="token key:secret") as known:
        anonymous = await stranger.get("/user/profile")
        assert anonymous.status_code == 403 and anonymous.json()["error_type"] == "TokenException"
        assert (await known.get("/user/profile")).json()["data"]["broker"] == "ZERODHA"
        kite.mode.value = "token_dead"
        assert (await known.get("/user/profile")).status_code == 403
        kite.mode.value = "down"
        down = await known.get("/user/profile")
        assert down.status_code == 503 and down.json()["error_type"] == "NetworkException"
    async with kite.kite(read_s=0.3) as hasty:
        for mode in ("blackhole", "slow"):
            kite.mode.value = mode
            with pytest.raises(httpx.ReadTimeout):
                await hasty.get("/user/profile")
