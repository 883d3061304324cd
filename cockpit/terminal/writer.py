"""Writes to the terminal without ever waiting for it: a terminal that does not read costs frames, never the loop."""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from collections.abc import Callable
from typing import IO

from cockpit.terminal.receipts import AGAIN_S, REQUESTS, Receipts
from cockpit.terminal.unread import Unread

BEHIND_BYTES = 1024
"""More than this unread: no new frame is begun, so that what is shown next is the present and not a queue."""
FRAMES_BYTES = 64 * 1024
"""More than this unread: frames of the toolkit's own are dropped."""
MOST_BYTES = 256 * 1024
"""More than this unread: everything is dropped."""
SHORT_BYTES = 64
"""So short are the sequences that switch modes; they are worth more than frames."""
CHUNK_BYTES = 2 * 1024
JOIN_S = 1.0
Drained = Callable[[bool], None]
"""Called on the writer's thread once everything is read again; whether bytes were lost meanwhile."""


class PatientWriter(threading.Thread):
    """Takes the place of the toolkit's writer, whose queue of 30 blocks the event loop when it is full."""

    def __init__(self, file: IO[str], when_drained: Drained = lambda is_lost: None) -> None:
        super().__init__(daemon=True, name="terminal-output")
        self._descriptor = file.fileno()
        self._when_drained = when_drained
        self._parts: deque[bytes] = deque()
        self._is_begun = False
        """The first part is the rest of one that the terminal has begun to read."""
        self._pending = 0
        self._is_owing = self._has_lost = False
        self._is_stopping = self._is_abandoned = False
        self._receipts = Receipts()
        self._unread = Unread(self._descriptor)
        self._changed = threading.Condition()
        self.is_broken = False

    @property
    def pending(self) -> int:
        """Bytes that the terminal has not taken yet."""
        return self._pending

    def has_room(self) -> bool:
        """Whether a frame may be written; if not, `when_drained` tells when the present is to be drawn instead."""
        with self._changed:
            if self._pending > BEHIND_BYTES or self._receipts.is_behind or self._unread.is_behind:
                self._is_owing = True
                self._changed.notify_all()
                return False
            return not self.is_broken

    @property
    def is_silent(self) -> bool:
        """Whether frames are withheld from a terminal that reads, and may be looked at, but has ceased to answer."""
        with self._changed:
            return self._receipts.is_silent and not (self._pending or self._unread.is_behind)

    def write(self, text: str) -> None:
        """Take it, or drop it while far too much is unread."""
        data = text.encode("utf-8", "replace")
        with self._changed:
            limit = MOST_BYTES if len(data) <= SHORT_BYTES else FRAMES_BYTES
            if self._pending > limit or self.is_broken:
                self._is_owing = self._has_lost = True
                return
            self._queue(data)
            if self._receipts.sent(len(data)):
                self._ask()

    def _queue(self, data: bytes) -> None:
        # What is taken at once need not wake the writer: that would cost a key's answer a turn.
        left = data if self._pending or self.is_broken else data[self._unread.write(data) :]
        if left:
            self._is_begun |= len(left) < len(data)
            self._parts.append(left)
            self._pending += len(left)
            self._changed.notify_all()

    def _ask(self) -> None:
        if not self._is_abandoned:
            self._queue(self._receipts.ask())

    def answered(self) -> None:
        """The terminal has shown what it was sent."""
        with self._changed:
            self._receipts.answered()
            self._changed.notify_all()
        self._tell_if_drained()

    def typed(self) -> None:
        """Something else has come from the terminal."""
        with self._changed:
            self._receipts.typed()
            if self._is_owing:
                self._changed.notify_all()

    def abandon(self, within_s: float) -> None:
        """Drop what nobody has begun to read: the screen is about to be left. An answer on its way is waited for so
        long, as whoever reads the terminal after us would take it for keys; none is asked for any more."""
        with self._changed:
            self._is_abandoned = True
            is_asked = not any(part in REQUESTS for part in self._parts)
            kept = [self._parts[0]] if self._is_begun else []
            self._pending -= sum(map(len, self._parts)) - sum(map(len, kept))
            self._parts = deque(kept)
            if is_asked:
                self._changed.wait_for(lambda: self.is_broken or not self._receipts.is_hoped_for, within_s)

    def isatty(self) -> bool:
        """It stands for a terminal."""
        return True

    def fileno(self) -> int:
        """The terminal's descriptor."""
        return self._descriptor

    def flush(self) -> None:
        """Nothing waits here."""

    def run(self) -> None:
        """Write until told to stop; an error ends the terminal, not the cockpit."""
        while True:
            self._wait_for_reader()
            with self._changed:
                if not self._parts and not self._is_stopping:
                    self._changed.wait(AGAIN_S if self._is_owing else None)
                if self._is_owing:
                    self._receipts.allow_glimpse()
                    if self._receipts.is_due():
                        self._ask()
                if not self._parts and self._is_stopping:
                    return
                data = b"".join(self._parts)
                self._parts.clear()
                self._is_begun = False
            if data:
                self._send(data)
            self._tell_if_drained()

    def _wait_for_reader(self) -> None:
        while self._is_held():
            is_told = self._unread.wait()
            with self._changed:
                if not is_told and not self._parts:
                    self._unread.probe()
        self._tell_if_drained()

    def _is_held(self) -> bool:
        with self._changed:
            is_idle = not (self._parts or self._is_stopping or self.is_broken)
            return is_idle and self._is_owing and self._unread.is_behind

    def _tell_if_drained(self) -> None:
        with self._changed:
            is_unread = self._pending > 0 or self._receipts.is_behind or self._unread.is_behind
            is_owed = self._is_owing and not is_unread and not self.is_broken
            is_lost = self._has_lost
            if is_owed:
                self._is_owing = self._has_lost = False
        if is_owed:
            self._when_drained(is_lost)

    def _send(self, data: bytes) -> None:
        view = memoryview(data)
        ready = select.poll()
        try:
            ready.register(self._descriptor, select.POLLOUT)
            while view:
                # Small pieces, so that it is known how much is left; the descriptor stays blocking, for it is shared
                # with the shell that started the cockpit.
                ready.poll()
                count = os.write(self._descriptor, view[:CHUNK_BYTES])
                view = view[count:]
                with self._changed:
                    self._unread.written(count)
                    self._pending -= count
        except BlockingIOError:
            self._send(bytes(view))
        except (OSError, ValueError):
            with self._changed:
                self.is_broken = True
                self._pending -= len(view)
                self._pending -= sum(map(len, self._parts))
                self._parts.clear()

    def stop(self) -> None:
        """Let what is queued go out, but do not wait for a terminal that has stopped reading."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify()
        self.join(JOIN_S)
        with self._changed:
            self._unread.close()
