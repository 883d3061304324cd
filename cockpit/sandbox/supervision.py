"""The supervisor's life: claims a folder, brings the platform up, takes commands, goes down when it should."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cockpit.errors import CockpitError
from cockpit.sandbox import folders
from cockpit.sandbox.control import ControlServer
from cockpit.sandbox.layout import Layout
from cockpit.sandbox.platform import Platform
from cockpit.sandbox.ports import choose_ports


def main(arguments: list[str]) -> int:
    """Run a sandbox until told to stop; progress goes to standard output as JSON lines."""
    options = _options(arguments)
    os.umask(0o077)
    try:
        folders.prepare_run(options.folder)
        folders.lock(options.folder)  # until this process has ended: that is how others see that it has
    except CockpitError as error:
        Supervisor.tell(failed=str(error))
        return error.exit_code
    tempfile.tempdir = str(options.folder / "run")  # nothing of ours may stay elsewhere after a kill -9
    layout = Layout(
        folder=options.folder,
        ports=choose_ports(),
        seed=options.seed,
        orders_per_s=options.orders_per_s,
        ticks_per_s=options.ticks_per_s,
    )
    try:
        return asyncio.run(_supervise(layout, has_lifeline=options.lifeline, is_kept=not options.private))
    except CockpitError as error:
        Supervisor.tell(failed=str(error))
        return error.exit_code
    finally:
        if options.private:
            shutil.rmtree(options.folder, ignore_errors=True)


async def _supervise(layout: Layout, *, has_lifeline: bool, is_kept: bool) -> int:
    return await Supervisor(layout, has_lifeline=has_lifeline, is_kept=is_kept).run()


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="cockpit.sandbox.supervisor")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--orders-per-s", type=float, default=50.0)
    parser.add_argument("--ticks-per-s", type=float, default=200.0)
    parser.add_argument("--private", action="store_true", help="remove the folder at the end")
    parser.add_argument("--lifeline", action="store_true", help="go down when standard input ends")
    return parser.parse_args(arguments)


class Supervisor:
    """Holds the platform between its start and the first reason to stop."""

    def __init__(self, layout: Layout, *, has_lifeline: bool, is_kept: bool) -> None:
        self._layout = layout
        self._has_lifeline = has_lifeline
        self._is_kept = is_kept
        self._started = time.monotonic()
        self._stopping = asyncio.Event()
        self._platform = Platform(layout, self._progress)
        commands = {"status": self._status, "down": self._down, **self._platform.commands()}
        self._control = ControlServer(layout.control_socket, commands)

    async def run(self) -> int:
        """Come up, wait for SIGTERM, `down`, the lifeline's end or a failed start, and go down; the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, self._stopping.set)
        if self._has_lifeline:
            os.set_blocking(0, False)
            loop.add_reader(0, self._feel_lifeline)
        coming_up = asyncio.create_task(self._come_up())
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait((coming_up, stopping), return_when=asyncio.FIRST_COMPLETED)
            if coming_up.done() and (error := coming_up.exception()) is not None:
                if not isinstance(error, CockpitError):
                    self.tell(failed=f"{type(error).__name__}: {error}")
                raise error
            await self._stopping.wait()
            return 0
        finally:
            await self._go_down(coming_up)

    async def _come_up(self) -> None:
        await self._control.start()
        await self._platform.start()
        self._layout.save()
        self.tell(up=str(self._layout.folder), took_s=self._age_s())
        self._leave_terminal()
        gc.freeze()  # what came up stays: no need to look through it again and again
        gc.enable()

    async def _go_down(self, coming_up: asyncio.Task[None]) -> None:
        coming_up.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await coming_up
        self._layout.file.unlink(missing_ok=True)
        await self._control.close()
        await self._platform.stop(is_kept=self._is_kept)

    def _feel_lifeline(self) -> None:
        try:
            is_cut = os.read(0, 4096) == b""
        except BlockingIOError:
            return
        except OSError:
            is_cut = True
        if is_cut:
            asyncio.get_running_loop().remove_reader(0)
            self._stopping.set()

    def _leave_terminal(self) -> None:
        """Whoever started us reads no further; later output goes to the log."""
        log = os.open(self._layout.logs / "supervisor.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)

    def _age_s(self) -> float:
        return round(time.monotonic() - self._started, 3)

    def _progress(self, step: str) -> None:
        self.tell(step=step, at_s=self._age_s())

    @staticmethod
    def tell(**facts: object) -> None:
        """Say something to whoever started us."""
        with contextlib.suppress(OSError):
            sys.stdout.write(json.dumps(facts) + "\n")
            sys.stdout.flush()

    async def _status(self, _request: Mapping[str, Any]) -> dict[str, Any]:
        own = {"folder": str(self._layout.folder), "pid": os.getpid(), "up_s": self._age_s()}
        return own | await self._platform.status()

    async def _down(self, _request: Mapping[str, Any]) -> dict[str, Any]:
        self._stopping.set()
        return {"ok": True}
