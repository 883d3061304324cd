"""Watches over the halt that is latched on this host: what Redis lost is engaged again at once, and said aloud."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from functools import partial

from actions.kill_switch.intent import Write
from cockpit.clients.redis_facts import Fields, is_true, time_ms
from cockpit.clients.redis_write import RedisWriter
from cockpit.clock import Clock
from cockpit.config import RedisPart
from cockpit.errors import CockpitError, JournalError
from cockpit.jobs import letting_go
from cockpit.jobs.minutes import Minutes
from cockpit.jobs.scribe import Scribe
from cockpit.model.latch import Hold, Latch
from cockpit.storage.jobs import JobStore
from cockpit.storage.latches import LatchFile

LOOK_S = 0.25
IDLE_S = 5.0
"""So often it is looked whether there is anything to watch over, should nobody say so."""
RELEASED_S = 0.5
"""So long the disk may take to say whether the halt was released, before what Redis lost is engaged again."""
STRIKE_S = 10.0
"""No strike takes longer."""
UNASKED_S = 12 * 3600.0
"""A wish older than this, that this process has not seen fulfilled, is told and not acted on: too much has happened."""


class Vigil:
    """One process' watch; several may watch over the same latch, and one of them engages."""

    def __init__(
        self, file: LatchFile, part: RedisPart | None, clock: Clock, minutes: Minutes, store: JobStore
    ) -> None:
        """`store`: what was released by a job of it is not engaged again."""
        self._file = file
        self._store = store
        self._part = part
        self._clock = clock
        self._minutes = minutes
        # A scribe of its own: the latch is on the disk beside journal and audit, not after them.
        self._scribe = Scribe()
        self._guard = threading.Lock()
        self._latch: Latch | None = None
        self._is_unsaved = False
        """Known here, and not on the disk yet."""
        self._is_owed = False
        """The disk refused it."""
        self._seen_ms: int | None = None
        """The halt that this process wished for itself, or has seen in Redis."""
        self._trouble = ""
        self._unread = ""
        self._is_told = False
        self._struck_by = float("-inf")
        """Until then our own write may still be on its way."""
        self._wake: Callable[[], None] = lambda: None

    @property
    def present(self) -> Latch | None:
        """The latch as last known; never waits for a disk."""
        with self._guard:
            return None if self._latch is None else replace(self._latch, trouble=self._trouble)

    @property
    def unread(self) -> str:
        """Why the latch cannot be read; empty where it can. What was known of it before stands."""
        return self._unread

    def read(self) -> None:
        """Learn what others latched or released; it may hang with the disk, so only one thread asks, often."""
        with self._guard:
            owed = self._latch if self._is_owed else None
        if owed is not None:
            with suppress(JournalError):
                self._save(owed)
        try:
            found = self._file.read()
        except JournalError as error:
            self._unread = str(error)
            return
        if found is not None and self._let_go(found):
            found = None
        self._unread = ""
        with self._guard:
            is_new = self._latch is None and found is not None
            if not self._is_unsaved:
                self._latch = found
        if is_new:
            self._wake()

    def _let_go(self, latch: Latch) -> bool:
        """Whether a release of it was read back, so that nothing is to be held; its file goes where the disk allows."""
        try:
            until_ms = letting_go.released(self._store, latch)
        except JournalError:
            return False
        if until_ms is None:
            return False
        with suppress(JournalError):
            if self._file.clear(until_ms) is not None:
                self._minutes.write("unlatched", letting_go.words(latch))
        return True

    def keep(self, write: Write) -> Future[None]:
        """Latch this wish: known here at once; the future is done when it is on the disk."""
        latch = Latch(self._file.where, write.by, write.reason, write.ts_ms)
        with self._guard:
            self._latch, self._is_unsaved = latch, True
            self._seen_ms, self._trouble, self._is_told = write.ts_ms, "", False
            self._struck_by = self._clock.monotonic() + STRIKE_S
        self._wake()
        saved = self._scribe.tell(lambda: self._save(latch))
        self._scribe.tell(self._file.sync)
        return saved

    def struck(self, is_engaged: bool) -> None:
        """Our own write has come to an end, one way or the other."""
        latch = self.present
        if is_engaged and latch is not None:
            self._note(latch, lambda one: replace(one, is_held=True))
        self._struck_by = float("-inf")

    def _save(self, latch: Latch) -> None:
        try:
            self._file.write(latch)
        except JournalError:
            self._is_owed = True
            raise
        with self._guard:
            if self._latch is not None and self._latch.wish_ms == latch.wish_ms:
                self._is_unsaved = self._is_owed = False

    async def watch(self) -> None:
        """Look until cancelled, on a connection of its own: a halt must find the warm one free."""
        if self._part is None:
            return
        writer, latched = RedisWriter(self._part), asyncio.Event()
        self._wake = partial(_set, asyncio.get_running_loop(), latched)
        try:
            while True:
                latched.clear()
                latch = self.present
                if latch is not None:
                    try:
                        await self._look(writer, latch)
                    except CockpitError:
                        pass  # unknown is no loss: it is looked at again
                    except Exception as error:  # whatever it is, the watch goes on
                        self._fail(latch, f"{type(error).__name__} of our own")
                if latch is not None or await _is_set(latched, IDLE_S):
                    # Not at once: the strike itself may be on its way just now.
                    await asyncio.sleep(LOOK_S)
        finally:
            await writer.close()

    async def _look(self, writer: RedisWriter, latch: Latch) -> None:
        switch, is_replica = await writer.read_switch()
        hold = hold_in(latch, switch)
        if hold is Hold.LOST and self._clock.monotonic() >= self._struck_by:
            if not await self._is_let_go(latch):
                await self._engage_again(writer, latch, is_replica)
            return
        if hold is Hold.HELD:
            self._is_told, self._trouble = False, ""
            self._seen_ms = latch.wish_ms
            if not latch.is_held:
                self._note(latch, lambda one: replace(one, is_held=True))
        elif hold is Hold.RELEASED and self._is_owed:
            # The disk never took it, and somebody released it: nothing is left to let go of.
            with self._guard:
                self._latch, self._is_unsaved, self._is_owed = None, False, False

    async def _is_let_go(self, latch: Latch) -> bool:
        """By the journals as they are at this moment; a disk that does not say so keeps nobody from safety."""
        asked = asyncio.wrap_future(self._scribe.tell(lambda: self._let_go(latch)))
        # Not wait_for: what it cancels, the scribe could not answer any more.
        await asyncio.wait({asked}, timeout=RELEASED_S)
        if not asked.done() or asked.exception() is not None or not asked.result():
            return False
        with self._guard:
            if self._latch is not None and self._latch.ts_ms == latch.ts_ms:
                self._latch, self._is_unsaved, self._is_owed = None, False, False
        return True

    async def _engage_again(self, writer: RedisWriter, latch: Latch, is_replica: bool) -> None:
        if self._seen_ms != latch.wish_ms and self._clock.now() - latch.ts_ms / 1000 > UNASKED_S:
            self._trouble = f"it is older than {UNASKED_S / 3600:.0f} h and was not watched: not done by itself"
            return
        # The intent is on the disk already: it is the latch. Another line before the act would only cost time.
        now = self._clock.now()
        taken = latch.taken_at(now)
        try:
            if is_replica:
                raise CockpitError("this Redis is a replica: read-only")
            await writer.set_kill_switch(
                True, taken.by, taken.reason, taken.ts_ms, lambda found: hold_in(latch, found) is Hold.LOST
            )
        except CockpitError as error:
            # Another cockpit may have been quicker: only what is still lost at the next look is trouble.
            self._fail(latch, str(error))
            return
        self._restored(latch, taken, now)

    def _fail(self, latch: Latch, error: str) -> None:
        if self._trouble and not self._is_told:
            self._is_told = True
            self._minutes.write("not_reasserted", f"the halt by {latch.by} is lost and not engaged again: {error}")
        self._trouble = error

    def _restored(self, latch: Latch, taken: Latch, now: float) -> None:
        self._trouble, self._is_told = "", False
        self._note(
            latch,
            lambda one: replace(
                one,
                ts_ms=taken.ts_ms,
                wanted_ms=taken.wanted_ms,
                is_held=True,
                losses=one.losses + one.is_held,
                restored_at=now,
            ),
        )
        lost = "Redis had lost it" if latch.is_held else "Redis takes it now"
        command = Write(True, taken.by, taken.reason, taken.ts_ms).command(
            self._part.kill_switch_key if self._part else ""
        )
        self._minutes.write("reasserted", f"the latched halt was engaged again, {lost}: {command}")

    def _note(self, latch: Latch, change: Callable[[Latch], Latch]) -> None:
        with self._guard:
            if self._latch is not None and self._latch.wish_ms == latch.wish_ms:
                self._latch = change(self._latch)
        self._scribe.tell(lambda: self._file.change(latch, change))


async def _is_set(latched: asyncio.Event, within_s: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await latched.wait()
    return latched.is_set()


def _set(loop: asyncio.AbstractEventLoop, latched: asyncio.Event) -> None:
    with suppress(RuntimeError):  # it has ended
        loop.call_soon_threadsafe(latched.set)


def hold_in(latch: Latch, switch: Fields) -> Hold:
    """How the hash in Redis stands to the latch."""
    return latch.hold(is_true(switch.get("enabled")), switch.get("by"), time_ms(switch.get("ts")))
