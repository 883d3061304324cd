"""What the terminal has shown for certain: it is asked now and then, and answers when it has come so far."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

REQUEST = b"\x1b[5n"
"""Are you well? Nearly every terminal since the VT100 says so, in its turn."""
REQUESTS = (REQUEST, b"\x1b[c")
"""What are you? The console of Windows 10 and of Server 2019 says only that."""
ANSWER = "\x1b[0n"
ANSWERS = re.compile(r"\x1b\[(?:0n|\?[\d;]*c)")
"""To either of them."""
ASK_BYTES = 1024
"""After so much it is asked again: the answer wakes us, and one that is on its way when we leave is waited for."""
UNANSWERED_BYTES = 3 * 1024
"""More than this on its way: no new frame. A line of 64 kbit/s and 150 ms holds 1.2 kB, its buffers hold minutes."""
AGAIN_S = 2.0
"""An answer can get lost (inside a paste), and whoever was there can have been replaced."""
ANEW_S = 10.0
"""One that has not answered is asked so seldom."""
SILENT_S = 4.0
"""A terminal that sends keys and no answer for so long is one that does not answer. Without keys it is more likely a
closed lid or a line that is down, and whatever is sent into an hour of that lies before the present when it ends."""
GLIMPSE_S = 15.0
"""After so long one frame is sent all the same, should somebody look at it; the next after twice as long, and so on."""
GLIMPSE_BYTES = 1024
"""So much room is made for it; it may be larger."""
HOPED_S = 1.0
"""The first answer of a terminal may come for so long."""


class Receipts:
    """Counts what lies between us and the glass, in the kernel, in sshd and on the line, where nobody else can."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._is_answering = False
        self._request = 0
        self._asked_bytes = self._unasked_bytes = 0
        self._first_at: float | None = None
        self._last_at = 0.0
        self._glimpse_s = GLIMPSE_S

    @property
    def is_open(self) -> bool:
        """Whether an answer is on its way: from a terminal that gives any."""
        return self._is_answering and self._first_at is not None

    @property
    def is_hoped_for(self) -> bool:
        """Whether an answer may come that nobody should find who reads the terminal after us."""
        return self.is_open or (self._first_at is not None and self._now() - self._last_at < HOPED_S)

    @property
    def is_silent(self) -> bool:
        """Whether frames are withheld for so long already that whoever sees the last one must be told."""
        return self.is_behind and self._open_s() >= SILENT_S

    def allow_glimpse(self) -> None:
        """Now and then, make room for one frame though nothing says that the ones before it were shown."""
        if self.is_behind and self._open_s() >= self._glimpse_s:
            self._asked_bytes, self._unasked_bytes = UNANSWERED_BYTES - GLIMPSE_BYTES, 0
            self._glimpse_s *= 2

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

    def ask(self) -> bytes:
        """The request, which now stands behind all that was sent."""
        if self._first_at is not None and not self._is_answering:
            # It may know the other one.
            self._request = 1 - self._request
        self._asked_bytes += self._unasked_bytes
        self._unasked_bytes = 0
        self._last_at = self._now()
        if self._first_at is None:
            self._first_at = self._last_at
        return REQUESTS[self._request]

    def answered(self) -> None:
        """Of several requests it may have been an early one: then a little more is on its way than is counted."""
        self._is_answering = True
        self._asked_bytes = 0
        self._first_at = None
        self._glimpse_s = GLIMPSE_S

    def typed(self) -> None:
        """Something else came from the terminal; an answer that has not come by then is not expected any more."""
        if self._open_s() >= SILENT_S:
            self._is_answering = False

    def is_due(self) -> bool:
        """Whether to ask again, because the answer has not come."""
        return self.is_open and self._now() - self._last_at >= AGAIN_S

    def _open_s(self) -> float:
        """How long an answer has been waited for."""
        return 0.0 if self._first_at is None else self._now() - self._first_at
