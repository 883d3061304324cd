"""Reads the evidence from Redis: one round trip a look, each stream from where the last look ended."""

from __future__ import annotations

from typing import Any

from actions.kill_switch.evidence import Evidence, RiskyOrder, VenueCount
from cockpit.clients.redis_durability import QUESTIONS, durability_of, proof_of
from cockpit.clients.redis_facts import fields, id_ms, info_fields, json_object, payload, text, time_ms, whole
from cockpit.clients.redis_link import RedisLink
from cockpit.clients.redis_orders import risky_order
from cockpit.clients.redis_words import refusal, reply_text
from cockpit.clients.resp import Command, Reply, ReplyError
from cockpit.config import RedisPart
from cockpit.model.keeping import durable
from cockpit.text import clean

PAGE = 1000
MAX_PAGES = 20
LABELS = ("validated", "incoming", "rejected")


class EvidenceReader:
    """Keeps one connection and one cursor a stream."""

    def __init__(self, part: RedisPart, act_ms: int) -> None:
        self._part = part
        self._act_ms = act_ms
        self._link = RedisLink(part)
        self._cursors = {part.order_streams[label]: f"{act_ms}-0" for label in LABELS if label in part.order_streams}
        self._offset: int | None = None

    async def read(self) -> Evidence:
        """One look.

        Raises:
            BackendError: Redis did not answer.
        """
        streams = list(self._cursors)
        head: list[Command] = [("TIME",), ("HGETALL", self._part.kill_switch_key)]
        head += [("HGETALL", self._part.venue_status_key), *QUESTIONS]
        replies = await self._link.ask([*head, *(self._range(stream) for stream in streams)])
        clock, switch, venues, *rest = replies
        for reply in (clock, switch):
            if isinstance(reply, ReplyError):
                raise refusal(reply)
        now_ms = int(clock[0]) * 1000 + int(clock[1]) // 1000
        entries, unread = await self._pages(dict(zip(streams, rest[len(QUESTIONS) :], strict=True)))
        validated = entries.get("validated", [])
        return Evidence(
            now_ms=now_ms,
            switch=fields(switch),
            durable=self._durable(rest[: len(QUESTIONS)], now_ms),
            durability=durable(durability_of(rest[: len(QUESTIONS)])).words,
            risky=tuple(_risky(entry) for entry in validated if risky_order(entry) is not None),
            validated=len(validated),
            incoming=len(entries.get("incoming", [])),
            halted=sum(map(_is_halted, entries.get("rejected", []))),
            venues=_venues(venues),
            unread=unread,
        )

    async def close(self) -> None:
        """Close the connection."""
        self._link.drop()

    def _range(self, stream: str) -> Command:
        return ("XRANGE", stream, f"({self._cursors[stream]}", "+", "COUNT", PAGE)

    async def _pages(self, first: dict[str, Reply]) -> tuple[dict[str, list[Any]], dict[str, str]]:
        """All entries since the last look, by label; most often the first page is all there is."""
        entries: dict[str, list[Any]] = {}
        unread: dict[str, str] = {}
        for label in LABELS:
            stream = self._part.order_streams.get(label, "")
            page = first.get(stream)
            found = entries.setdefault(label, [])
            for _ in range(MAX_PAGES):
                if not isinstance(page, list):
                    unread[label] = reply_text(page) if isinstance(page, ReplyError) else "no such stream is configured"
                    break
                found += page
                if page:
                    self._cursors[stream] = text(page[-1][0])
                if len(page) < PAGE:
                    break
                (page,) = await self._link.ask([self._range(stream)])
            else:
                unread[label] = "it runs faster than it can be read"
        return entries, unread

    def _durable(self, replies: list[Reply], now_ms: int) -> str | None:
        proof = proof_of(durability_of(replies), self._act_ms / 1000, now_ms / 1000)
        return proof or self._acknowledged(info_fields(replies[0]))

    def _acknowledged(self, info: dict[str, str]) -> str | None:
        """A replica that has received everything up to the first look after the act has the act too."""
        if info.get("role") != "master":
            return None
        if self._offset is None:
            self._offset = whole(info.get("master_repl_offset"))
        for name, value in info.items():
            if not (name.startswith("slave") and name[5:].isdecimal()):
                continue
            replica = dict(part.partition("=")[::2] for part in value.split(","))
            offset = whole(replica.get("offset"))
            if self._offset is not None and offset is not None and offset >= self._offset:
                return "received by a replica"
        return None


def _risky(entry: Any) -> RiskyOrder:
    order = risky_order(entry)
    assert order is not None
    words = " ".join(str(part) for part in (order.order_id, order.side, order.qty, order.symbol) if part is not None)
    return RiskyOrder(id_ms(order.entry_id), words or order.entry_id)


def _is_halted(entry: Any) -> bool:
    return (json_object(payload(entry[1])) or {}).get("reason") == "kill_switch"


def _venues(reply: Reply) -> tuple[VenueCount, ...]:
    if isinstance(reply, ReplyError):
        return ()
    found = []
    for name, raw in sorted(fields(reply).items()):
        status = json_object(raw) or {}
        words = clean(status.get("status", "unknown"), 20)
        found.append(VenueCount(clean(name, 20), whole(status.get("open_orders")), time_ms(status.get("ts_ms")), words))
    return tuple(found)
