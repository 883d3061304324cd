"""Names of the platform's streams, and reading them through a consumer group without losing or repeating an entry."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cockpit.sandbox.workers.redis_line import Command, RedisLine, RedisRefused, now_ms

INCOMING = "orders.incoming"
VALIDATED = "orders.validated"
REJECTED = "orders.rejected"
FILLS = "orders.fills"
METRICS = "risk.metrics"
ALERTS = "alerts"
VENUE_REASON = "venue "
ROUTER_REASON = "router: "
ORDERS_CAP = 10_000
TICKS_CAP = 20_000
METRICS_CAP = 7_200
ALERTS_CAP = 1_000

Entry = tuple[str, str, dict[str, Any]]
"""Stream, entry id, event."""


def ticks(feed: str) -> str:
    """The stream of a feed's ticks."""
    return f"ticks.{feed}"


def add(stream: str, event: dict[str, Any], cap: int = ORDERS_CAP) -> Command:
    """The command that appends an event."""
    return add_text(stream, json.dumps(event, separators=(",", ":")), cap)


def add_text(stream: str, text: str, cap: int = ORDERS_CAP) -> Command:
    """The command that appends an event that is JSON already."""
    return ("XADD", stream, "MAXLEN", "~", cap, "*", "json", text)


def decode(fields: list[str] | None) -> dict[str, Any]:
    """The event in an entry's fields; {} for what is not an event of this platform."""
    if not fields:
        return {}
    try:
        event = json.loads(dict(zip(fields[::2], fields[1::2], strict=False))["json"])
    except (KeyError, ValueError):
        return {}
    return event if isinstance(event, dict) else {}


def entry_key(entry_id: str) -> tuple[int, int]:
    """An entry id as numbers, so that ids compare in their order."""
    ms, _, sub = entry_id.partition("-")
    return int(ms), int(sub or 0)


def waited_s(entry_id: str, now_ms: int) -> float:
    """How long an entry has been in its stream.

    >>> waited_s("1800000000000-3", 1800000004500)
    4.5
    """
    return (now_ms - entry_key(entry_id)[0]) / 1000


def is_final_rejection(order: Mapping[str, Any]) -> bool:
    """Whether a rejected order had been validated and has now ended: its venue or the router refused it."""
    return str(order.get("reason", "")).startswith((VENUE_REASON, ROUTER_REASON))


class Group:
    """One consumer of a group on some streams: what it was given and did not acknowledge, then what is new."""

    def __init__(
        self, line: RedisLine, name: str, streams: tuple[str, ...], count: int = 200, oldest_ms: int | None = 5_000
    ) -> None:
        self._line = line
        self._name = name
        self._streams = streams
        self._count = count
        self._oldest_ms = oldest_ms
        self._consumer = f"{name}-1"

    def ensure(self) -> None:
        """Create the group where it is missing.

        It begins a few seconds back: what has just arrived must not be lost, and hours of old orders must not be
        executed again because somebody destroyed a group. `oldest_ms` None begins at the stream's first entry.
        """
        for stream in self._streams:
            is_new = not self._line.ask(("EXISTS", stream))[0]
            begin = "0" if is_new or self._oldest_ms is None else f"{now_ms() - self._oldest_ms}-0"
            try:
                self._line.ask(("XGROUP", "CREATE", stream, self._name, begin, "MKSTREAM"))
            except RedisRefused as error:
                if error.code != "BUSYGROUP":
                    raise

    def pending(self) -> list[Entry]:
        """Everything that was handed out before and not acknowledged."""
        entries: list[Entry] = []
        after = dict.fromkeys(self._streams, "0")
        while after:
            batch = taken(self._line.ask((*self._command, "COUNT", self._count, "STREAMS", *after, *after.values()))[0])
            entries += batch
            newest = {stream: entry_id for stream, entry_id, _ in batch}
            after = {stream: newest[stream] for stream in after if stream in newest}
        return entries

    def new(self, block_ms: int = 0) -> list[Entry]:
        """What nobody has been given yet, waiting for it up to `block_ms`."""
        return taken(self._line.ask(self.read_command(block_ms))[0])

    def read_command(self, block_ms: int = 0) -> Command:
        """The command behind `new`; its reply is for `taken`."""
        block = ("BLOCK", block_ms) if block_ms else ()
        new = (">",) * len(self._streams)
        return (*self._command, "COUNT", self._count, *block, "STREAMS", *self._streams, *new)

    def ack(self, stream: str, entry_ids: list[str]) -> Command:
        """The command that acknowledges entries."""
        return ("XACK", stream, self._name, *entry_ids)

    @property
    def _command(self) -> Command:
        return ("XREADGROUP", "GROUP", self._name, self._consumer)


def taken(reply: list[list[Any]] | None) -> list[Entry]:
    """The entries in the reply of XREADGROUP."""
    return [(stream, entry_id, decode(fields)) for stream, entries in reply or () for entry_id, fields in entries]
