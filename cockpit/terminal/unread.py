"""What lies in the kernel for whoever reads the other end of the terminal: not how much it is, but when it is read.

Each read that empties its buffer wakes those who wait to write, and so does the end of each write: a wake that is not
our own write's says that somebody reads. It cannot get lost but where it falls together with that of our own write.
"""

from __future__ import annotations

import contextlib
import os
import select

UNREAD_BYTES = 2 * 1024
"""More than this unread: no new frame. The kernel would take 20 kB, 2.5 s of a line of 64 kbit/s, all of it old."""
SURE_READS = 4
"""So many reads must have been told before it counts that none is: not every kernel tells."""
FIRST_PROBE_S = 0.02
LAST_PROBE_S = 0.5
PROBE = b"\0"
"""Shows nothing on any terminal; when it is read, that is told again."""
PSEUDO = "/dev/pts/"
"""Of other kinds of terminals nothing is known."""


class Unread:
    """The same terminal, opened for us alone, so that it may be told not to block; counts what is written to it since
    the other end was last seen to read. Where it cannot be opened or seen, nothing is written and counted."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = None
        self._poll: select.epoll | None = None
        self._bytes = self._reads = 0
        self._probe_s = FIRST_PROBE_S
        with contextlib.suppress(OSError):
            name = os.ttyname(descriptor)
            self._descriptor = os.open(name, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
            if name.startswith(PSEUDO):
                self._poll = select.epoll()
                self._poll.register(self._descriptor, select.EPOLLOUT | select.EPOLLET)
                self._poll.poll(0)

    @property
    def is_behind(self) -> bool:
        """Whether so much is unread that more would only be a queue."""
        self.look()
        return self._bytes > UNREAD_BYTES and self._reads >= SURE_READS

    def write(self, data: bytes) -> int:
        """How much of it the terminal takes at once; nobody has to wake for that."""
        if self._descriptor is None:
            return 0
        self.look()
        try:
            count = os.write(self._descriptor, data)
        except OSError:
            return 0  # nobody reads, or it is gone: who writes the rest finds out
        self.written(count)
        return count

    def look(self) -> None:
        """Whether there was a read; to be done before each write."""
        if self._is_woken():
            self._bytes = 0
            self._reads += 1
            self._probe_s = FIRST_PROBE_S

    def written(self, count: int) -> None:
        """So many bytes have just been written; to be told at once, for their own wake is forgotten here."""
        self._is_woken()
        self._bytes += count

    def wait(self) -> bool:
        """Until there may be news, at most a while; whether there is any. If not, `probe` may bring it."""
        if self._poll is None:
            return True
        waited_s, self._probe_s = self._probe_s, min(2 * self._probe_s, LAST_PROBE_S)
        # Of the poll itself: to ask it would take the news away.
        news = select.poll()
        news.register(self._poll, select.POLLIN)
        return bool(news.poll(waited_s * 1000))

    def probe(self) -> None:
        """Have the next read told, should the last one's wake have been taken for that of our own write."""
        self.write(PROBE)

    def close(self) -> None:
        """Nothing is known any more."""
        poll, own, self._poll, self._descriptor, self._bytes = self._poll, self._descriptor, None, None, 0
        if poll is not None:
            poll.close()
        if own is not None:
            os.close(own)

    def _is_woken(self) -> bool:
        return self._poll is not None and bool(self._poll.poll(0))
