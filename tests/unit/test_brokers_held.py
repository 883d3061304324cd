"""What an IBKR gateway says is held, told in odd ways: nothing of it may pass for less than it is."""

from __future__ import annotations

import asyncio
import struct

import pytest
from probe_servers import speaking

from cockpit.clients.brokers import GREETING
from cockpit.clients.brokers_held import tws_positions
from cockpit.errors import BackendError

END = ("62", "1")


def position(account: str, contract: str, symbol: str, qty: str) -> tuple[str, ...]:
    terms = ("", "0", "", "", "NASDAQ", "USD")
    return ("61", "3", account, contract, symbol, "STK", *terms, symbol, "NMS", qty, "0")


def frame(fields: tuple[str, ...]) -> bytes:
    body = "".join(f"{field}\0" for field in fields).encode()
    return struct.pack(">I", len(body)) + body


async def told(*rows: tuple[str, ...]) -> dict[str, tuple[float, ...]]:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readexactly(len(GREETING)) == GREETING
        writer.write(frame(("176", "20261122 20:01:26 EST")) + frame(("9", "1", "1")))
        writer.write(b"".join(map(frame, (*rows, END))))
        await reader.read()

    async with speaking(say) as port:
        return dict(await tws_positions("127.0.0.1", port, 91))


async def test_all_accounts_count() -> None:
    assert await told(position("U1", "1", "AAPL", "100"), position("U2", "1", "AAPL", "30")) == {"AAPL": (100.0, 30.0)}


async def test_long_in_one_account_and_short_in_another_is_not_flat() -> None:
    rows = (position("U1", "1", "AAPL", "100"), position("U2", "1", "AAPL", "-100"), position("U3", "1", "AAPL", "0"))
    assert await told(*rows) == {"AAPL": (100.0, -100.0)}
    assert await told(position("U1", "1", "AAPL", "100"), position("U1", "2", "AAPL", "-100")) == {}


async def test_a_position_that_a_fill_has_told_anew_counts_once() -> None:
    rows = (position("U1", "1", "AAPL", "100"), position("U1", "2", "MSFT", "5"), position("U1", "1", "AAPL", "120"))
    assert await told(*rows) == {"AAPL": (120.0,), "MSFT": (5.0,)}


@pytest.mark.parametrize("cut", [3, 5, 14])
async def test_a_position_cut_short_is_not_left_out(cut: int) -> None:
    with pytest.raises(BackendError, match="tells of a position"):
        await told(position("U1", "1", "AAPL", "100")[:cut], position("U1", "2", "MSFT", "5"))
