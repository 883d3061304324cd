"""The brokers' probe: TWS handshakes and Kite answers of every kind."""

from __future__ import annotations

import asyncio
import json
import struct
import time
from typing import Any

import pytest
from aiohttp import web
from probe_servers import CLOCK, free_port, garbage, hang_up, serving, settings, silence, speaking

from cockpit.clients.brokers import GREETING, greet_tws
from cockpit.clients.brokers_held import kite_held, tws_positions
from cockpit.clients.web import Answer
from cockpit.errors import BackendError
from cockpit.model.states import Reach
from cockpit.probes.reach import ReachProbe
from tests.patience import PATIENCE_S


def probe(**venues: str) -> ReachProbe:
    return ReachProbe(settings(venues=[{"name": name, "probe": url} for name, url in venues.items()]), CLOCK)


async def look(url: str) -> Reach:
    one = probe(IBKR=url)
    (reach,) = await one.read()
    await one.close()
    assert reach.venue == "IBKR" and reach.detail.isprintable()
    return reach


def frame(body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + body


async def test_tws_greets_after_news() -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readexactly(len(GREETING)) == GREETING
        writer.write(frame(b"14\0news\0of the day\0") + frame(b"176\x0020261122 20:01:26 EST\0"))
        assert await reader.read() == b""  # nothing more is said: nobody is logged in

    async with speaking(say) as port:
        found = await look(f"tws://127.0.0.1:{port}")
    assert found.is_up and found.took_ms < 500
    assert found.detail == "gateway answers: server version 176, time 20261122 20:01:26 EST"


@pytest.mark.parametrize(
    ("say", "words"),
    [
        (hang_up, "it hung up without a word: our address is not trusted, or it has too many clients"),
        (silence, "no answer to the handshake in time: hung, or a login dialog is open"),
        (garbage, "not a TWS gateway: it answered ␖␃␁ "),
    ],
)
async def test_tws_that_does_not_greet(say: Any, words: str) -> None:
    async with speaking(say) as port:
        found = await look(f"tws://127.0.0.1:{port}")
    assert not found.is_up and found.detail == words


async def test_tws_greets_in_pieces() -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readexactly(len(GREETING)) == GREETING
        for byte in frame(b"14\0news\0of the day\0") + frame(b"176\x0020261122 20:01:26 EST\0"):
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)
        await reader.read()

    async with speaking(say) as port:
        found = await look(f"tws://127.0.0.1:{port}")
    assert (found.is_up, found.detail) == (True, "gateway answers: server version 176, time 20261122 20:01:26 EST")


@pytest.mark.parametrize("host", ["gateway..internal", "g" * 64])
async def test_a_name_that_can_be_none_says_so(host: str) -> None:
    with pytest.raises(BackendError, match="cannot be resolved"):
        await greet_tws(host, 4001, 1.0)
    with pytest.raises(BackendError, match="cannot be resolved"):
        await tws_positions(host, 4001, 7)


async def test_tws_refused() -> None:
    found = await look(f"tws://127.0.0.1:{free_port()}")
    assert not found.is_up and found.detail == "connection refused: the gateway is down"


@pytest.mark.parametrize(
    ("status", "body", "is_up", "words"),
    [
        (403, {"status": "error", "error_type": "TokenException", "message": "Invalid"}, True, "API answers"),
        (200, {"status": "success", "data": {}}, True, "API answers"),
        (429, {"status": "error", "message": "Too many requests"}, True, "429: API answers, but we ask too often"),
        (502, "<html>Bad gateway", False, "502: no API behind its gateway"),
        (500, {"status": "error", "error_type": "GeneralException", "message": "x"}, False, "500 GeneralException: x"),
        (403, "<html>blocked", False, "answered 403, but not as the Kite API does"),
        (200, "<html>parked domain", False, "answered 200, but not as the Kite API does"),
    ],
)
async def test_kite(status: int, body: Any, is_up: bool, words: str) -> None:
    def answer(request: web.Request) -> web.Response:
        assert request.path == "/user/profile" and request.headers["X-Kite-Version"] == "3"
        if isinstance(body, str):
            return web.Response(text=body, status=status)
        return web.json_response(body, status=status)

    async with serving(answer) as url:
        found = await look(f"{url}/")
    assert (found.is_up, found.detail, found.is_degraded) == (is_up, words, status == 429)


async def test_kite_with_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str | None] = []

    def answer(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization"))
        return web.json_response({"status": "error", "error_type": "TokenException"}, status=403)

    async with serving(answer) as url:
        venue = {"name": "ZERODHA", "probe": url, "token": {"env": "TEST_KITE"}}
        one = ReachProbe(settings(venues=[venue]), CLOCK)
        monkeypatch.delenv("TEST_KITE", raising=False)
        (found,) = await one.read()
        assert (found.is_up, found.is_degraded, found.detail) == (True, False, "API answers")
        assert "TEST_KITE is not set" in found.lacks
        for token in ("k:old", "k:new"):
            monkeypatch.setenv("TEST_KITE", token)
            (found,) = await one.read()
            assert (found.is_degraded, found.detail) == (True, "API answers, but refuses the token")
            assert not found.lacks
        await one.close()
    assert seen == [None, "token k:old", "token k:new"]


async def test_one_venue_is_not_timed_with_another() -> None:
    times: list[tuple[str, float]] = []

    def gateway(name: str) -> Any:
        async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            times.append((f"{name} asked", time.monotonic()))
            await reader.readexactly(len(GREETING))
            await asyncio.sleep(0.01)
            times.append((f"{name} answers", time.monotonic()))
            writer.write(frame(b"176\x0020261122 20:01:26 EST\0"))
            await reader.read()

        return say

    async with speaking(gateway("A")) as first, speaking(gateway("B")) as second:
        one = probe(A=f"tws://127.0.0.1:{first}", B=f"tws://127.0.0.1:{second}")
        assert all(reach.is_up for reach in await one.read())
        await one.close()
    assert [what for what, _ in times] == ["A asked", "A answers", "B asked", "B answers"]


async def test_each_in_its_turn_and_each_bounded() -> None:
    async with speaking(silence) as port, serving(lambda request: {"status": "success"}) as url:
        one = probe(A=f"tws://127.0.0.1:{port}", B=f"http://127.0.0.1:{port}", C=url)
        async with asyncio.timeout(PATIENCE_S):
            found = await one.read()
        await one.close()
    assert [reach.is_up for reach in found] == [False, False, True]
    assert found[2].took_ms < 1000, "it is not timed with those that hang"


def test_configured() -> None:
    assert not ReachProbe.is_configured(settings(venues=[{"name": "PAPER"}]))
    assert ReachProbe.is_configured(settings(venues=[{"name": "IBKR", "probe": "tws://h"}]))


def test_a_quantity_that_no_float_holds_is_none() -> None:
    rows = json.dumps({"status": "success", "data": [{"tradingsymbol": "INFY", "opening_quantity": 10**400}]})
    net = b'{"status": "success", "data": {"net": []}}'
    with pytest.raises(BackendError, match="without a quantity"):
        kite_held(Answer(200, "OK", net), Answer(200, "OK", rows.encode()))
