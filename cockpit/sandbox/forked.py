"""Where a forked worker begins: tied to the fork server, its output in a log, then its module."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import traceback
from collections.abc import Mapping
from importlib import import_module
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection

from cockpit.sandbox.death import die_with_parent, name_this_process
from cockpit.sandbox.knobs import Knobs
from cockpit.sandbox.layout import Layout
from cockpit.sandbox.worker import WorkerContext


def enter(
    name: str,
    module: str,
    layout: Layout,
    control: Connection,
    options: Mapping[str, str],
    knobs: Knobs,
    is_tied: bool,
) -> None:
    """Run `module.run(context)`; the exit code is its own, 1 when it raised."""
    if is_tied:
        die_with_parent(signal.SIGKILL, os.getppid())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    name_this_process(f"ck-{name}")
    _release_fork_server()
    _redirect(layout.logs / f"{name}.log")
    gc.freeze()
    try:
        import_module(module).run(WorkerContext(name, layout, control, options, knobs))
    except SystemExit as end:
        _leave(end.code if isinstance(end.code, int) else 1)
    except BaseException:
        traceback.print_exc()
        _leave(1)
    _leave(0)


def nothing() -> None:
    """End at once: whoever waits for that knows that the fork server forks."""


def _leave(code: int) -> None:
    """End without the interpreter's tear-down, which would touch (and so copy) every shared page."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _release_fork_server() -> None:
    """Close our copies of the pipes that would keep the fork server alive after its owner is gone."""
    for owner, attribute in (
        (forkserver._forkserver, "_forkserver_alive_fd"),
        (resource_tracker._resource_tracker, "_fd"),
    ):
        descriptor = getattr(owner, attribute, None)
        if isinstance(descriptor, int):
            with contextlib.suppress(OSError):
                os.close(descriptor)
            setattr(owner, attribute, None)


def _redirect(log: os.PathLike[str]) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
