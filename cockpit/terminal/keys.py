"""Reads what is typed and notices a hang-up, waking for nothing else: the toolkit's reader wakes ten times a second."""

from __future__ import annotations

import contextlib
import os
import select
import threading
import weakref
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable
from typing import Any, Protocol

ESCAPE_MS = 20
"""So often it is looked whether a lone escape was the key, while that is open."""
_GONE = select.POLLHUP | select.POLLERR | select.POLLNVAL


class Bell(threading.Event):
    """An event that also wakes whoever polls it."""

    def __init__(self) -> None:
        super().__init__()
        self._descriptor = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        weakref.finalize(self, os.close, self._descriptor)

    def fileno(self) -> int:
        """What is polled."""
        return self._descriptor

    def set(self) -> None:
        """Wake everybody."""
        super().set()
        os.eventfd_write(self._descriptor, 1)

    def clear(self) -> None:
        """Wake nobody any more."""
        super().clear()
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._descriptor)


class Parser(Protocol):
    """The toolkit's, which turns sequences into events; it has to be asked again while an escape is open."""

    def feed(self, data: str) -> Iterable[Any]:
        """Events that are complete with this; the empty text is the end."""

    def tick(self) -> Iterable[Any]:
        """Events that are complete because nothing followed."""


def read_keys(descriptor: int, stop: Bell, parser: Parser, take: Callable[[Any], object]) -> bool:
    """Until told to stop; whether the terminal has hung up instead.

    Raises:
        OSError: it cannot be read.
    """
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    poll.register(stop, select.POLLIN)
    # Noise on the line must not end the cockpit.
    decode = getincrementaldecoder("utf-8")("replace").decode
    while not stop.is_set():
        is_open = getattr(parser, "_timeout_time", 0) is not None
        mask = dict(poll.poll(ESCAPE_MS if is_open else None)).get(descriptor, 0)
        data = os.read(descriptor, 4096) if mask & select.POLLIN else b""
        if mask and not data:
            # End of file, which a hung-up terminal gives for ever, or a hang-up with nothing left to read.
            return bool(mask & (_GONE | select.POLLIN))
        if data and (text := decode(data)):
            for event in parser.feed(text):
                take(event)
        for event in parser.tick():
            take(event)
    return False
