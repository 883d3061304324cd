"""Runs pg_restore into a database, and says how far it is: by rows, which it has to copy, and by items."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from cockpit.clients.postgres_link import environment, linked
from cockpit.clients.programs import Ended, run_program
from cockpit.config import PostgresPart
from cockpit.errors import CockpitError

LOOK_S = 1.0
ROWS_SHARE = 0.9
"""Of the time, about: the rest are indexes and constraints."""
_TABLE = re.compile(rb'processing data for table "([^"]+)"')
_ITEM = re.compile(rb"(?:creating|processing|executing) [A-Z]|processing data for")
COPYING = """
SELECT count(*), coalesce(sum(tuples_processed), 0) FROM pg_stat_progress_copy WHERE datname = %s
"""


class RestoreProgress:
    """What has been seen of a restore: tables begun, items done, rows copied in the tables under way."""

    def __init__(self, rows: Mapping[str, int], items: int) -> None:
        self._rows = {name.replace('"', ""): count for name, count in rows.items()}
        self._total = sum(self._rows.values())
        self._items = items
        self._begun: list[str] = []
        self._done = 0
        self._under_way = (0, 0)
        self._rest = b""

    def read(self, piece: bytes) -> None:
        """The next piece of what pg_restore says; lines of two of its processes may be mixed."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            self._begun += [found.decode("utf-8", "replace") for found in _TABLE.findall(line)]
            self._done += len(_ITEM.findall(line))
        self._rest = self._rest[-4096:]

    def look(self, tables: int, rows: int) -> None:
        """How many tables are being copied now, and how many rows of them are there."""
        self._under_way = (tables, rows)

    @property
    def rows(self) -> int:
        """Copied so far, about."""
        tables, rows = self._under_way
        finished = self._begun[: len(self._begun) - tables] if tables else self._begun
        return min(self._total, sum(self._rows.get(name, 0) for name in finished) + rows)

    @property
    def fraction(self) -> float:
        """Between 0 and 1."""
        items = min(1.0, self._done / self._items) if self._items else 0.0
        if not self._total:
            return items
        return ROWS_SHARE * self.rows / self._total + (1 - ROWS_SHARE) * items

    @property
    def words(self) -> str:
        """For a person."""
        last = f", {self._begun[-1]}" if self._begun else ""
        return f"{self.rows:,} of {self._total:,} rows{last}"


async def restore(
    part: PostgresPart,
    command: tuple[str, ...],
    side: str,
    folder: Path,
    take: Callable[[bytes], bytes],
    told: Callable[[str, float], None],
    progress: RestoreProgress,
    keep_open: tuple[int, ...],
    stop: asyncio.Event,
) -> Ended:
    """Run it to its end, to that of its time, or until `stop`.

    Raises:
        Refused: it cannot be started.
        ConfigError: the password is not where the configuration says.
    """

    def both(piece: bytes) -> bytes:
        shown = take(piece)
        progress.read(piece)
        told(progress.words, progress.fraction)
        return shown

    around = await asyncio.to_thread(environment, part)
    watch = asyncio.create_task(_watch(part, side, told, progress))
    try:
        return await run_program(command, folder, around, both, part.restore_s, keep_open, stop)
    finally:
        watch.cancel()
        with suppress(asyncio.CancelledError, CockpitError):
            await watch


async def _watch(part: PostgresPart, side: str, told: Callable[[str, float], None], progress: RestoreProgress) -> None:
    """Rows within a table: only the server knows."""
    async with linked(part, part.maintenance_database, is_read_only=True) as connection:
        while True:
            await asyncio.sleep(LOOK_S)
            row = await (await connection.execute(COPYING, (side,))).fetchone()
            if row is not None:
                progress.look(int(row[0]), int(row[1]))
                told(progress.words, progress.fraction)
