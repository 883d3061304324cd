"""What the brokers themselves say is held: positions of an IBKR gateway, and of Zerodha's Kite API."""

from __future__ import annotations

import asyncio
import math
import struct
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from cockpit.clients.brokers import GREETING, MAX_FRAME_BYTES
from cockpit.clients.web import Answer
from cockpit.errors import BackendError, Refused, Unreachable
from cockpit.model.shares import shares
from cockpit.text import clean

KITE_POSITIONS = "/portfolio/positions"
KITE_HOLDINGS = "/portfolio/holdings"
MOST_MESSAGES = 5_000
"""A gateway that talks without end is not listened to without end."""
START_API, ASK_POSITIONS = ("71", "2"), ("61", "1")
ERROR, NEXT_ID, POSITION, POSITIONS_END = "4", "9", "61", "62"
POSITION_FIELDS = 15
LOST_CODES = ("1100", "2110")
"""The gateway has lost IBKR itself: what it knows may be old."""
TAKEN_CODES = ("326", "502", "504", "507")

Held = Mapping[str, tuple[float, ...]]
"""Symbol -> quantity in each account that holds any: long in one and short in another is not flat."""


async def tws_positions(host: str, port: int, client_id: int) -> Held:
    """Log in as an API client, ask for every account's positions, and hang up.

    Raises:
        BackendError: in an operator's words.
    """
    try:
        reader, writer = await asyncio.open_connection(host, port, limit=MAX_FRAME_BYTES)
    except UnicodeError:
        raise Unreachable("its name cannot be resolved") from None
    except OSError as error:
        raise Unreachable(f"cannot reach {clean(host, 80)}:{port}: {clean(error.strerror or error)}") from None
    try:
        writer.write(GREETING)
        await _frame(reader)
        _send(writer, *START_API, client_id, "")
        return await _positions(reader, writer)
    except (ConnectionError, asyncio.IncompleteReadError):
        raise Refused(f"the gateway hung up on client id {client_id}") from None
    finally:
        writer.transport.abort()


async def _positions(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Held:
    said: dict[tuple[str, ...], float] = {}
    for _ in range(MOST_MESSAGES):
        fields = await _frame(reader)
        kind = fields[0]
        if kind == NEXT_ID:
            # Only with it is a client logged in; what is asked before may be lost.
            _send(writer, *ASK_POSITIONS)
        elif kind == ERROR and len(fields) > 4:
            _refuse(fields[3], clean(fields[4], 80))
        elif kind == POSITION:
            if len(fields) < POSITION_FIELDS:
                raise BackendError("the gateway tells of a position in too few words")
            symbol = fields[4] if fields[5] == "STK" else fields[12] or fields[4]
            # By account and contract: a fill meanwhile has the same one told anew.
            said[fields[2], fields[3], symbol] = _number(fields[14])
        elif kind == POSITIONS_END:
            return _held((account, clean(symbol, 40), qty) for (account, _, symbol), qty in said.items())
    raise BackendError("the gateway talks, but of no end of its positions")


def _held(rows: Iterable[tuple[str, str, float]]) -> Held:
    """Of account, symbol and quantity; a symbol may be several contracts."""
    found: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for account, symbol, qty in rows:
        found[symbol][account] += qty
    by_account = {symbol: tuple(filter(None, map(shares, of.values()))) for symbol, of in found.items()}
    return {symbol: quantities for symbol, quantities in by_account.items() if quantities}


def _refuse(code: str, words: str) -> None:
    """Raise for what makes the answer worthless; notices of data farms do not.

    Raises:
        BackendError: in an operator's words.
    """
    if code in LOST_CODES:
        raise BackendError(f"{code}: the gateway has lost IBKR: what it knows may be old")
    if code in TAKEN_CODES:
        raise Refused(f"{clean(code, 8)}: {words}")


async def _frame(reader: asyncio.StreamReader) -> list[str]:
    (length,) = struct.unpack(">I", await reader.readexactly(4))
    if not 0 < length <= MAX_FRAME_BYTES:
        raise BackendError("not a TWS gateway")
    return (await reader.readexactly(length)).decode("utf-8", "replace").split("\0")


def _send(writer: asyncio.StreamWriter, *fields: object) -> None:
    payload = "".join(f"{field}\0" for field in fields).encode()
    writer.write(struct.pack(">I", len(payload)) + payload)


def kite_held(positions: Answer, holdings: Answer) -> Held:
    """What came over the night and what the day has added, by trading symbol.

    >>> net = b'{"status": "success", "data": {"net": [{"tradingsymbol": "INFY", "quantity": -4}], "day": []}}'
    >>> kept = b'{"status": "success", "data": [{"tradingsymbol": "INFY", "opening_quantity": 10}]}'
    >>> kite_held(Answer(200, "OK", net), Answer(200, "OK", kept))
    {'INFY': (6.0,)}

    Raises:
        BackendError: one of the two is no answer to go by.
    """
    net = _told(positions)
    of_day = _rows(net.get("net") if isinstance(net, dict) else None)
    # Not `quantity`: what is sold from it today stands among the day's positions already.
    kept = [("", _symbol(row), _number(row.get("opening_quantity"))) for row in _rows(_told(holdings))]
    return _held([*(("", _symbol(row), _number(row.get("quantity"))) for row in of_day), *kept])


def _told(answer: Answer) -> object:
    body = answer.json()
    if answer.status != 200 or not isinstance(body, dict) or body.get("status") != "success":
        said = body.get("message") if isinstance(body, dict) else ""
        raise BackendError(f"{answer.status}: {clean(said or 'no positions told', 80)}")
    return body.get("data")


def _rows(found: object) -> list[dict[str, Any]]:
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise BackendError("its positions are not told as the Kite API does")
    return found


def _symbol(row: Mapping[str, Any]) -> str:
    symbol = row.get("tradingsymbol")
    if not isinstance(symbol, str) or not symbol:
        raise BackendError("it tells of a position without a symbol")
    return clean(symbol, 40)


def _number(told: object) -> float:
    """A quantity that is none must not pass for 0."""
    try:
        number = float(told)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number) or isinstance(told, bool):
        raise BackendError("it tells of a position without a quantity")
    return number
