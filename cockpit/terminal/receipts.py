"""What the terminal has shown for certain: it is asked now and then, and answers when it has come so far."""

from __future__ import annotations

import time
from collections.abc import Callable

REQUEST = b"\x1b[5n"
"""Are you well? Every terminal since the VT100 says so, in its turn."""
ANSWER = "\x1b[0n"
ASK_BYTES = 1024
"""After so much it is asked again: the answer wakes us, and one that is on its way when we leave is waited for."""
UNANSWERED_BYTES = 3 * 1024
"""More than this on its way: no new frame. A line of 64 kbit/s and 150 ms holds 1.2 kB, its buffers hold minutes."""
AGAIN_S = 2.0
"""An answer can get lost (inside a paste), and whoever was there can have been replaced."""
ANEW_S = 10.0
"""One that has not answered is asked so seldom."""
LATE_S = 5.0
"""A terminal that sends keys and no answer for so long is one that does not answer."""
MUTE_S = 120.0
"""So is one that sends nothing for so long; a wall that waits for an answer for ever would stand still."""


class Receipts:
    """Counts what lies between us and the glass, in the kernel, in sshd and on the line, where nobody else can."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._is_answering = False
        self._asked_bytes = self._unasked_bytes = 0
        self._first_at: float | None = None
        self._last_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether an answer is on its way: from a terminal that gives any."""
        return self._is_answering and self._first_at is not None

    @property
    def is_behind(self) -> bool:
        """Whether so much has not been shown yet that more would only be a queue."""
        return self.is_open and self._asked_bytes + self._unasked_bytes > UNANSWERED_BYTES

    def sent(self, count: int) -> bool:
        """So many bytes more have been sent; whether it is time to ask."""
        self._unasked_bytes += count
        if self._first_at is None:
            return self._unasked_bytes >= ASK_BYTES
        return not self._is_answering and self._now() - self._last_at >= ANEW_S

    def asked(self) -> None:
        """The request stands behind all that was sent."""
        self._asked_bytes += self._unasked_bytes
        self._unasked_bytes = 0
        self._last_at = self._now()
        if self._first_at is None:
            self._first_at = self._last_at

    def answered(self) -> None:
        """Of several requests it may have been an early one: then a little more is on its way than is counted."""
        self._is_answering = True
        self._asked_bytes = 0
        self._first_at = None

    def typed(self) -> None:
        """Something else came from the terminal."""
        self._forgo(LATE_S)

    def is_due(self) -> bool:
        """Whether to ask again, because the answer has not come; after long enough none is expected."""
        self._forgo(MUTE_S)
        return self.is_open and self._now() - self._last_at >= AGAIN_S

    def _forgo(self, after_s: float) -> None:
        if self._first_at is not None and self._now() - self._first_at >= after_s:
            self._is_answering = False
