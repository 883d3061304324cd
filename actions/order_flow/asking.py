"""What the order flow's steps ask Redis, on a connection of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from actions.step import Stage
from cockpit.clients.redis_link import RedisLink
from cockpit.clients.redis_words import refusal
from cockpit.clients.resp import ReplyError
from cockpit.errors import ConfigError


@asynccontextmanager
async def redis(stage: Stage) -> AsyncIterator[RedisLink]:
    """A connection for as long as it is asked.

    Raises:
        ConfigError: no Redis is configured.
    """
    if stage.settings.redis is None:
        raise ConfigError("no Redis is configured")
    link = RedisLink(stage.settings.redis)
    try:
        yield link
    finally:
        link.drop()


async def answer(link: RedisLink, command: Sequence[str]) -> Any:
    """What Redis says to one command.

    Raises:
        BackendError: it did not answer, or refused.
    """
    (reply,) = await link.ask([tuple(command)])
    if isinstance(reply, ReplyError):
        raise refusal(reply)
    return reply
