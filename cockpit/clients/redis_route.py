"""Who takes a venue's orders: the override written and taken away, and the first fill that shows it at work."""

from __future__ import annotations

from dataclasses import dataclass

from cockpit.clients.redis_facts import id_ms, json_object, payload, text
from cockpit.clients.redis_link import RedisLink
from cockpit.clients.redis_words import refusal
from cockpit.clients.resp import Command, Reply, ReplyError
from cockpit.config import RedisPart
from cockpit.errors import BackendError
from cockpit.text import clean

PAGE = 2000
BEFORE_MS = 60_000
"""An order that was validated so long before may still be filled after."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A fill of an order that was meant for another venue."""

    order_id: str
    at_ms: int


class RouteWriter:
    """One connection for one step."""

    def __init__(self, part: RedisPart) -> None:
        self._part = part
        self._link = RedisLink(part)

    async def set_override(self, venue: str, adapter: str | None) -> int:
        """Write it, or take it away; Redis' own time after it.

        Raises:
            Refused: it was not written.
            BackendError: it may have been written.
        """
        key = self._part.route_override_key
        command: Command = ("HDEL", key, venue) if adapter is None else ("HSET", key, venue, adapter)
        written, clock = await self._link.ask([command, ("TIME",)])
        _raise_refused(written)
        if isinstance(clock, ReplyError):
            raise BackendError(f"it is written, but Redis does not tell its time: {refusal(clock)}")
        return int(clock[0]) * 1000 + int(clock[1]) // 1000

    async def first_fill(self, venue: str, by: str, since_ms: int) -> Filled | None:
        """The first fill by venue `by`, since then, of an order that says `venue`; None where there is none yet.

        Raises:
            BackendError: the streams could not be read.
        """
        streams = self._part.order_streams
        orders = ("XREVRANGE", streams["validated"], "+", f"{since_ms - BEFORE_MS}", "COUNT", PAGE)
        fills = ("XRANGE", streams["fills"], f"{since_ms}", "+", "COUNT", PAGE)
        validated, filled = await self._link.ask([orders, fills])
        for reply in (validated, filled):
            _raise_refused(reply)
        meant = {_field(entry, "order_id") for entry in validated if _field(entry, "venue") == venue}
        for entry in filled:
            if _field(entry, "venue").lower() == by.lower() and _field(entry, "order_id") in meant:
                return Filled(_field(entry, "order_id"), id_ms(text(entry[0])))
        return None

    def close(self) -> None:
        """Close the connection."""
        self._link.drop()


def _field(entry: Reply, name: str) -> str:
    return clean((json_object(payload(entry[1])) or {}).get(name, ""), 60)


def _raise_refused(reply: Reply) -> None:
    if isinstance(reply, ReplyError):
        raise refusal(reply)
