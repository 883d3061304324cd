"""The answers of the Lua scripts by plain commands, in a few round trips: for users that may not run scripts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Any

from cockpit.clients.redis_facts import MAX_PAYLOAD_BYTES, id_ms, id_order, json_object, payload, text, time_ms
from cockpit.clients.redis_words import reply_text
from cockpit.clients.resp import Command, Reply, ReplyError

Ask = Callable[[Sequence[Command]], Awaitable[list[Reply]]]
Wanted = tuple[str, str, str]
"""A stream's key, the id to count from, and what to say of its new entries: as in redis_streams.lua."""

MAX_FIELDS = 5000
MAX_LAG, MAX_NEW, MAX_GROUPS, FIRST_MS = 1000, 500, 64, 2000
MAX_BYTES = 1_048_576


async def read_hashes(ask: Ask, keys: Sequence[str]) -> list[Any]:
    """What redis_hashes.lua answers."""
    kinds = await ask([("TYPE", key) for key in keys])
    sizes = await _ask_of(ask, keys, kinds, b"hash", lambda key: ("HLEN", key))
    fits = [key for key in keys if isinstance(sizes.get(key), int) and sizes[key] <= MAX_FIELDS]
    found = dict(zip(fits, await ask([("HGETALL", key) for key in fits]), strict=True))
    answers: list[Any] = []
    for key, kind in zip(keys, kinds, strict=True):
        refused = _refused(kind, b"hash", "hash") or _error(sizes.get(key)) or _error(found.get(key))
        if refused is None and key not in found:
            refused = [-1, f"it has {sizes[key]} fields, too many to read"]
        answers.append(refused or [1, found[key]])
    return answers


async def read_streams(ask: Ask, wanted: Sequence[Wanted], now_ms: int) -> list[Any]:
    """What redis_streams.lua answers."""
    keys = [key for key, _, _ in wanted]
    kinds = await ask([("TYPE", key) for key in keys])
    infos = await _ask_of(ask, keys, kinds, b"stream", lambda key: ("XINFO", "STREAM", key))
    groups = await _ask_of(ask, keys, kinds, b"stream", lambda key: ("XINFO", "GROUPS", key))
    asked = [
        _Asked(want, _named(infos[want[0]]), _list(groups[want[0]]), now_ms)
        for want in wanted
        if isinstance(infos.get(want[0]), list)
    ]
    replies = iter(await ask([command for one in asked for command in one.commands]))
    answers = {one.key: one.answer([next(replies) for _ in one.commands]) for one in asked}
    return [
        _refused(kind, b"stream", "stream") or _error(infos.get(key)) or answers[key]
        for key, kind in zip(keys, kinds, strict=True)
    ]


class _Asked:
    """One stream between the second and the third round trip: what is still to be asked, and how to put it together."""

    def __init__(self, wanted: Wanted, stream: dict[str, Any], groups: list[Any], now_ms: int) -> None:
        self.key, self._before, self._wanted = wanted
        self._stream = stream
        self._groups = [_named(group) for group in groups[:MAX_GROUPS]]
        self._since_ms = -1 if self._before else now_ms - FIRST_MS
        self._cap = _cap_of(stream, MAX_NEW)
        self._lag_cap = _cap_of(stream, MAX_LAG)
        self.commands: list[Command] = [*self._new_command(), *(c for g in self._groups for c in self._of_group(g))]

    def _new_command(self) -> Iterable[Command]:
        counts = self._wanted == "ticks" or "entries-added" not in self._stream or not self._before
        if self._wanted != "newest" and counts:
            start = self._before or f"{self._since_ms}-0"
            yield ("XREVRANGE", self.key, "+", f"({start}", "COUNT", self._cap)

    def _of_group(self, group: dict[str, Any]) -> Iterable[Command]:
        if self._asks_unread(group):
            # With a lag that Redis counted, only the oldest unread entry is wanted.
            count = self._lag_cap if group.get("lag") is None else 1
            yield ("XRANGE", self.key, f"({text(group['last-delivered-id'])}", "+", "COUNT", count)
        if group["pending"]:
            yield ("XPENDING", self.key, group["name"])

    def _asks_unread(self, group: dict[str, Any]) -> bool:
        return self._is_behind(group) and (group.get("lag") is None or not group["pending"])

    def _is_behind(self, group: dict[str, Any]) -> bool:
        last_id, delivered = text(self._stream["last-generated-id"]), text(group["last-delivered-id"])
        return bool(self._stream["length"]) and id_order(delivered) < id_order(last_id) and group.get("lag") != 0

    def answer(self, replies: list[Reply]) -> list[Any]:
        """The stream as redis_streams.lua answers it."""
        left = iter(replies)
        new, since_ms, extra = self._new(next(left)) if list(self._new_command()) else (-1, -1, [])
        groups = [self._group(group, left) for group in self._groups]
        first, last = self._stream.get("first-entry"), self._stream.get("last-entry")
        if self._wanted == "newest":
            extra = ((payload(last[1]) if last else None) or b"")[: MAX_PAYLOAD_BYTES + 1]
        added = self._stream.get("entries-added", -1)
        first_id = first[0] if first else b""
        return [
            1,
            self._stream["length"],
            self._stream["last-generated-id"],
            first_id,
            added,
            new,
            since_ms,
            groups,
            extra,
        ]

    def _new(self, reply: Reply) -> tuple[int, int, Any]:
        if isinstance(reply, ReplyError):
            return -1, -1, []
        since_ms = id_ms(text(reply[-1][0])) if len(reply) == self._cap else self._since_ms
        ticks: list[int] = []
        if self._wanted == "ticks":
            for entry_id, entry in reversed(reply):
                sent = time_ms((json_object(payload(entry)) or {}).get("ts_ms"))
                ticks += (id_ms(text(entry_id)), sent or -1)
        return len(reply), since_ms, ticks

    def _group(self, group: dict[str, Any], left: Iterator[Reply]) -> list[Any]:
        lag, is_capped, next_id, oldest = 0, 0, b"", b""
        if self._is_behind(group):
            lag = -1 if group.get("lag") is None else min(group["lag"], self._stream["length"])
        if self._asks_unread(group):
            reply = next(left)
            unread = _list(reply)
            next_id = unread[0][0] if unread else b""
            if lag == -1 and reply is unread:
                lag, is_capped = len(unread), int(len(unread) == self._lag_cap)
        if group["pending"]:
            summary = _list(next(left))
            oldest = (summary[1] if len(summary) > 1 else None) or b""
        read = group.get("entries-read")
        facts = [group["name"], group["consumers"], group["pending"], group["last-delivered-id"]]
        return [*facts, lag, is_capped, next_id, -1 if read is None else read, oldest]


async def _ask_of(
    ask: Ask, keys: Sequence[str], kinds: Sequence[Reply], kind: bytes, command: Callable[[str], Command]
) -> dict[str, Reply]:
    """One command for each key of this kind."""
    mine = [key for key, found in zip(keys, kinds, strict=True) if found == kind]
    return dict(zip(mine, await ask([command(key) for key in mine]), strict=True))


def _refused(kind: Reply, wanted: bytes, name: str) -> list[Any] | None:
    if kind == b"none":
        return [0]
    if kind != wanted and not isinstance(kind, ReplyError):
        return [-1, f"it is a {text(kind)}, not a {name}"]
    return _error(kind)


def _error(reply: Reply) -> list[Any] | None:
    return [-1, reply_text(reply)] if isinstance(reply, ReplyError) else None


def _list(reply: Reply) -> list[Any]:
    return reply if isinstance(reply, list) else []


def _named(flat: list[Any]) -> dict[str, Any]:
    return {text(name): value for name, value in zip(flat[::2], flat[1::2], strict=False)}


def _cap_of(stream: dict[str, Any], most: int) -> int:
    """Entries may be huge: fewer are read then."""
    last = stream.get("last-entry")
    size = sum(map(len, last[1])) if last else 0
    return max(1, min(most, MAX_BYTES // (size + 64)))
