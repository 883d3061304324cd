"""How many orders pass: counted by when they came, since the look began, whatever is between one look and the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from actions.order_flow.asking import redis
from actions.step import Stage
from cockpit.clients.redis_facts import id_ms, text
from cockpit.clients.redis_link import RedisLink
from cockpit.clients.redis_words import refusal
from cockpit.clients.resp import ReplyError
from cockpit.config import RedisPart
from cockpit.model.states import OrderFlow

SINCE = "counted_since_ms"
SHORTEST_MS, LONGEST_MS = 1000, 3000
"""Orders come in some ten bursts a second: over less, a burst more or less is a fifth of the rate."""
MOST = 1000
"""With so many, they are counted over the time that they took."""


class Rate(NamedTuple):
    """Entries of one stream."""

    per_s: float
    over_s: float


async def now_ms(link: RedisLink) -> int:
    """Redis' own clock, by which it dates entries.

    Raises:
        BackendError: it did not answer, or refused.
    """
    (reply,) = await link.ask([("TIME",)])
    if isinstance(reply, ReplyError):
        raise refusal(reply)
    return int(reply[0]) * 1000 + int(reply[1]) // 1000


async def rates(stage: Stage, flow: OrderFlow) -> Mapping[str, Rate] | None:
    """Of each order stream that can be read, by its label; None as long as nothing has been counted for long enough.

    Raises:
        BackendError: Redis did not answer.
    """
    since_ms = max(int(stage.facts.get(SINCE, 0)), flow.now_ms - LONGEST_MS)
    if flow.now_ms - since_ms < SHORTEST_MS:
        return None
    streams = (stage.settings.redis or RedisPart()).order_streams
    span = (str(since_ms + 1), str(flow.now_ms), "COUNT", MOST)
    async with redis(stage) as link:
        replies = await link.ask([("XRANGE", key, *span) for key in streams.values()])
    found = dict[str, Rate]()
    for label, entries in zip(streams, replies, strict=True):
        if not isinstance(entries, ReplyError):
            stream = flow.stream(label)
            depth = stream.depth if stream is not None else None
            found[label] = counted([id_ms(text(one[0])) for one in entries], since_ms, flow.now_ms, depth)
    return found


def counted(came_ms: Sequence[int], since_ms: int, until_ms: int, depth: int | None) -> Rate:
    """The rate of the oldest entries that came between those moments to a stream that holds so many.

    >>> counted([1500, 1900, 1900], 1000, 3000, 80)
    Rate(per_s=1.5, over_s=2.0)
    >>> counted([2000, 2500, 3000], 1000, 3000, 3)
    Rate(per_s=3.0, over_s=1.0)
    """
    if came_ms and depth is not None and len(came_ms) >= depth:
        # It may have held older ones, and dropped them since: a capped stream.
        since_ms = came_ms[0]
    if len(came_ms) >= MOST:
        until_ms = came_ms[-1]
    over_s = max(1, until_ms - since_ms) / 1000
    return Rate(len(came_ms) / over_s, over_s)
