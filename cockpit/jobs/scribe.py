"""The thread that waits for the disk, so that nobody else has to."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


class Scribe:
    """Does one thing after the other, in the order in which it was told.

    A daemon thread and not an executor: leaving the cockpit must not wait for a disk that hangs.
    """

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="cockpit-scribe", daemon=True)
        self._thread.start()

    def tell(self, do: Callable[[], T]) -> Future[T]:
        """Have it done; the future tells what came of it."""
        future: Future[T] = Future()

        def work() -> None:
            try:
                future.set_result(do())
            except BaseException as error:
                future.set_exception(error)

        self._queue.put(work)
        return future

    def _run(self) -> None:
        while True:
            self._queue.get()()
