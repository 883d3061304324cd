"""Ends one session of a Postgres server, named so that a later one with the same pid is never hit."""

from __future__ import annotations

import asyncio

from cockpit.clients.postgres_link import linked
from cockpit.config import PostgresPart
from cockpit.errors import Refused, TimedOut

END = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE pid = %(pid)s AND (extract(epoch FROM backend_start) * 1000000)::bigint = %(began_us)s
"""
IS_THERE = """
SELECT EXISTS (
    SELECT FROM pg_stat_activity
    WHERE pid = %(pid)s AND (extract(epoch FROM backend_start) * 1000000)::bigint = %(began_us)s
)
"""
LOOK_S = 0.05


async def is_there(part: PostgresPart, pid: int, began_us: int) -> bool:
    """Whether there is that very session.

    Raises:
        BackendError: nobody said.
    """
    async with linked(part, part.maintenance_database, is_read_only=True) as connection:
        row = await (await connection.execute(IS_THERE, {"pid": pid, "began_us": began_us})).fetchone()
    return row is None or bool(row[0])


async def end_backend(part: PostgresPart, pid: int, began_us: int, within_s: float) -> bool:
    """End it and wait until it has gone; False where there was no such session any more.

    Raises:
        Refused: the server does not let us.
        BackendError: was_sent where it may have been ended.
    """
    who = {"pid": pid, "began_us": began_us}
    async with linked(part, part.maintenance_database) as connection:
        row = await (await connection.execute(END, who)).fetchone()
        if row is None:
            return False
        if not row[0]:
            raise Refused(f"backend {pid} could not be sent the signal")
        for _ in range(int(within_s / LOOK_S)):
            row = await (await connection.execute(IS_THERE, who)).fetchone()
            if row is not None and not row[0]:
                return True
            await asyncio.sleep(LOOK_S)
    late = TimedOut(f"backend {pid} was told to end and is still there after {within_s:g} s")
    late.was_sent = True
    raise late
