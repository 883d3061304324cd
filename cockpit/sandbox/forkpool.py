"""The platform's workers: forked from one preloaded process, told the knobs, stopped, awaited."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import signal
from collections.abc import Mapping
from datetime import UTC, datetime
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from cockpit.sandbox.forked import enter, nothing
from cockpit.sandbox.knobs import Knobs
from cockpit.sandbox.layout import Layout
from cockpit.sandbox.processes import last_lines, size_bytes


class Child:
    """One worker process and our end of its line."""

    def __init__(self, name: str, process: ForkServerProcess, control: Connection, log: Path, log_start: int) -> None:
        self.name = name
        self.log = log
        self.started_at = datetime.now(UTC)
        self.finished_at: datetime | None = None
        self._log_start = log_start
        self._process = process
        self._control = control
        self.pid = process.pid or 0
        loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[int] = loop.create_future()
        loop.add_reader(process.sentinel, self._reap)

    def _reap(self) -> None:
        code = self._process.exitcode
        if code is None:
            return
        asyncio.get_running_loop().remove_reader(self._process.sentinel)
        self.finished_at = datetime.now(UTC)
        self._control.close()
        if not self._ended.done():
            self._ended.set_result(code)
        self._process.close()

    @property
    def is_alive(self) -> bool:
        """False once the process has ended."""
        return not self._ended.done()

    @property
    def exit_code(self) -> int | None:
        """None while alive; negative is the signal that ended it."""
        return self._ended.result() if self._ended.done() else None

    async def wait(self) -> int:
        """Return the exit code once the process has ended; may be awaited by several callers."""
        return await asyncio.shield(self._ended)

    def tell(self, knobs: Knobs | None) -> None:
        """Send new knobs, or None to stop."""
        with contextlib.suppress(OSError, ValueError):
            self._control.send(knobs)

    def terminate(self) -> None:
        """Ask it to stop: its `pump` answers False."""
        self.tell(None)

    def kill(self) -> None:
        """End it now."""
        if self.is_alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def log_lines(self, count: int) -> list[str]:
        """The last lines of this process' output, oldest first."""
        return last_lines(self.log, count, self._log_start)


class ForkPool:
    """Starts workers; make it on the main thread, because the fork server dies with the thread that started it."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._knobs = Knobs()
        self.children: list[Child] = []
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # inherited: threads in a fork server must not be
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["cockpit.sandbox.preload"])
        forkserver.ensure_running()

    async def warm_up(self) -> None:
        """Return once the fork server has loaded everything; a fork before that would block the event loop."""
        await asyncio.to_thread(self._fork_nothing)

    def _fork_nothing(self) -> None:
        process = self._context.Process(target=nothing, daemon=True)
        process.start()
        process.join()

    def start(self, name: str, module: str, options: Mapping[str, str] | None = None, *, is_tied: bool = True) -> Child:
        """Fork a worker that runs `module.run`; its log is logs/<name>.log. Blocks for some milliseconds.

        An untied one outlives a killed supervisor and must end by itself.
        """
        ours, theirs = self._context.Pipe()
        log = self._layout.logs / f"{name}.log"
        log_start = size_bytes(log)
        arguments = (name, module, self._layout, theirs, dict(options or {}), self._knobs, is_tied)
        process = self._context.Process(target=enter, args=arguments, name=name, daemon=True)
        process.start()
        theirs.close()
        child = Child(name, process, ours, log, log_start)
        self.children = [other for other in self.children if other.is_alive] + [child]
        return child

    def broadcast(self, knobs: Knobs) -> None:
        """Tell every worker, and those still to come, the knobs."""
        self._knobs = knobs
        for child in self.children:
            child.tell(knobs)

    async def stop(self, timeout_s: float) -> None:
        """Stop every worker, politely at first."""
        for child in self.children:
            if timeout_s > 0:
                child.terminate()
            else:
                child.kill()
        waiting = [asyncio.ensure_future(child.wait()) for child in self.children if child.is_alive]
        if waiting and timeout_s > 0:
            await asyncio.wait(waiting, timeout=timeout_s)
        for child in self.children:
            child.kill()
        if waiting:
            await asyncio.wait(waiting, timeout=1.0)
        # End and reap the two processes that multiprocessing keeps: not every init reaps what it is left with.
        forkserver._forkserver._stop()  # type: ignore[attr-defined]
        resource_tracker._resource_tracker._stop()  # type: ignore[attr-defined]
