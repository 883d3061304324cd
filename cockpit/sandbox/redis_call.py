"""A short-lived connection from the supervisor to the sandbox's own Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from cockpit.sandbox.layout import Layout


@asynccontextmanager
async def redis_call(layout: Layout, *, timeout_s: float = 5.0, name: str = "sandbox") -> AsyncIterator[Any]:
    """A client that speaks RESP2 and sends nothing unasked; RedisError and OSError come through."""
    client = Redis(
        port=layout.ports.redis,
        protocol=2,
        decode_responses=True,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        client_name=name,
        driver_info=None,
        single_connection_client=True,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        yield client
    finally:
        await client.aclose()
