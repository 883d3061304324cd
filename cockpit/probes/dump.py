"""Reads the newest database dump: age, size, and whether all of it can be parsed."""

from __future__ import annotations

import asyncio

from cockpit.clients.bounded import SoloThread, abandon
from cockpit.clients.dump_reading import Verdict
from cockpit.clients.dumps import PARSE_TIMEOUT_S, Found, Parser, look
from cockpit.clock import Clock
from cockpit.config import Settings
from cockpit.errors import BackendError, ConfigError
from cockpit.model.backends import Dump
from cockpit.text import clean

TIMEOUT_S = 1.5
AHEAD_S = 2.0
"""Clocks differ by a little."""
QUIET_S = 2.0
"""A dump younger than this may still be being written: it is parsed once it has rested."""


class DumpProbe:
    """Looks at the file each tick; parses it beside, once for each time that it changes."""

    name = "dump"
    deadline_s = TIMEOUT_S + 0.5

    def __init__(self, settings: Settings, clock: Clock) -> None:
        if settings.postgres is None:
            raise ConfigError("postgres is not configured")
        self._clock = clock
        self._path = settings.below_root(settings.postgres.dump)
        self._parser = Parser(settings.postgres.pg_restore)
        self._looking = SoloThread("the dump's file system", is_quick=True)
        self._parsing = SoloThread("pg_restore")
        self._task: asyncio.Task[None] | None = None
        self._judged: Found | None = None
        self._verdict = Verdict(None, None)
        self.interval_s = settings.interval_s

    @staticmethod
    def is_configured(settings: Settings) -> bool:
        """Whether there is a dump to look at."""
        return settings.postgres is not None

    async def read(self) -> Dump:
        """The dump as it is now; `is_readable` follows some ticks after a change.

        Raises:
            BackendError: there is no dump, or its time lies ahead, or its file system hangs.
        """
        found = await self._looking.call(TIMEOUT_S, look, self._path)
        age_s = self._clock.now() - found.modified_ns / 1e9
        if age_s < -AHEAD_S:
            raise BackendError(f"the dump's time lies {-age_s:,.0f} s ahead of our clock: nobody knows how old it is")
        age_s = max(0.0, age_s)
        is_judged = found == self._judged
        if not is_judged and age_s >= QUIET_S and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._judge(found))
        waiting = Verdict(None, "being parsed" if self._task and not self._task.done() else "not parsed yet")
        verdict = self._verdict if is_judged else waiting
        return Dump(
            path=clean(self._path),
            age_s=age_s,
            size_bytes=found.size_bytes,
            is_readable=verdict.is_readable,
            detail=verdict.detail,
            identity=found.identity,
            contents=verdict.contents,
        )

    async def close(self) -> None:
        """Stop a parse that is under way."""
        self._parser.close()
        if self._task is not None:
            abandon(self._task)

    async def _judge(self, found: Found) -> None:
        """Parse it, and believe the verdict only if the file is still the same afterwards."""
        try:
            verdict = await self._parsing.call(PARSE_TIMEOUT_S + 5.0, self._parser.parse, self._path)
            after = await self._parsing.call(TIMEOUT_S, look, self._path)
        except BackendError:
            return
        if after == found:
            self._judged, self._verdict = found, verdict
