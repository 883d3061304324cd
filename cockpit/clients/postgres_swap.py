"""Puts another database in the place of the platform's own: both names in one transaction, so never half of it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

from cockpit.clients.postgres_link import SWAPPER, linked
from cockpit.config import PostgresPart
from cockpit.errors import BackendError, CockpitError, Refused

SAME_AGAIN_S = 0.5
TRIES = 20


async def swap(part: PostgresPart, wanted: str, incoming: str, aside: str) -> None:
    """`wanted` is called `aside` from now on and takes no connections; `incoming` is called `wanted`, and takes them.

    Raises:
        Refused: it was not done, and everything is as it was.
        BackendError: was_sent where it may have been done.
    """
    import psycopg
    from psycopg import sql

    body = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    try:
        async with linked(part, part.maintenance_database, name=SWAPPER) as connection:
            for name, value in (("wanted", wanted), ("incoming", incoming), ("aside", aside)):
                await connection.execute("SELECT set_config(%s, %s, false)", (f"cockpit.{name}", value))
            try:
                await connection.execute(sql.SQL("DO {}").format(sql.Literal(body)))
            except psycopg.errors.RaiseException as error:
                raise Refused(error.diag.message_primary or "not swapped") from None
    except BackendError as error:
        if not isinstance(error, Refused):
            # The server goes on without us; only where it did not get that far must somebody let clients in again.
            await _let_in_where_not_swapped(part, wanted, aside)
        raise


async def allow(part: PostgresPart, name: str) -> None:
    """Let clients connect to it again.

    Raises:
        BackendError: in an operator's words.
    """
    from psycopg import sql

    async with linked(part, part.maintenance_database) as connection:
        statement = sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS true")
        await connection.execute(statement.format(sql.Identifier(name)))


async def _let_in_where_not_swapped(part: PostgresPart, wanted: str, aside: str) -> None:
    for _ in range(TRIES):
        with suppress(CockpitError):
            async with linked(part, part.maintenance_database) as connection:
                cursor = await connection.execute(
                    "SELECT EXISTS (SELECT FROM pg_database WHERE datname = %s)", (aside,)
                )
                row = await cursor.fetchone()
            if row is not None and not row[0]:
                await allow(part, wanted)
            return
        await asyncio.sleep(SAME_AGAIN_S)
