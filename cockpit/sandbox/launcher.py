"""Starts, finds, asks and stops sandboxes, for the cockpit and the command line (standard library only: quick)."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cockpit.errors import SandboxError
from cockpit.sandbox import folders
from cockpit.sandbox.control_client import ask
from cockpit.sandbox.layout import Layout
from cockpit.sandbox.variables import shell_variables

DOWN_TIMEOUT_S = 8.0


@dataclass(frozen=True, slots=True)
class Rates:
    """How much the sandbox trades, and from which seed."""

    seed: int = 7
    orders_per_s: float = 50.0
    ticks_per_s: float = 200.0


@dataclass(frozen=True, slots=True)
class Progress:
    """One thing that has come up."""

    step: str
    at_s: float


Watch = Callable[[Progress], None]


class PrivateSandbox:
    """A sandbox that lives as long as this value's process: our end of its lifeline."""

    def __init__(self, process: subprocess.Popen[bytes], layout: Layout) -> None:
        self._process = process
        self.layout = layout

    @property
    def is_running(self) -> bool:
        """False once the supervisor has ended."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """The supervisor's process id."""
        return self._process.pid

    def close(self) -> None:
        """Take it down and remove its folder; harmless when repeated."""
        _cut(self._process)


def launch_private(rates: Rates | None = None, watch: Watch | None = None) -> PrivateSandbox:
    """Start a sandbox that goes down, and whose folder goes, when `close` is called or this process ends.

    Raises:
        SandboxError: it did not come up; the text says why.
    """
    folders.sweep()
    folder = Path(tempfile.mkdtemp(prefix=folders.PRIVATE_PREFIX, dir=folders.base_folder()))
    process = _spawn(folder, rates or Rates(), ["--private", "--lifeline"], stdin=subprocess.PIPE)
    try:
        return PrivateSandbox(process, _wait_up(process, watch))
    except BaseException:
        _cut(process)
        shutil.rmtree(folder, ignore_errors=True)  # the supervisor may have ended before it could
        raise


def up(folder: Path | None = None, rates: Rates | None = None, watch: Watch | None = None) -> Layout:
    """Start a sandbox that stays until `down`, or return the one that already runs there.

    Raises:
        SandboxError: it did not come up; the text says why.
    """
    place = folder or folders.shared_folder()
    running = find_running(place)
    if running is not None:
        return running
    process = _spawn(place, rates or Rates(), [], stdin=subprocess.DEVNULL)
    try:
        return _wait_up(process, watch)
    except BaseException:
        process.terminate()
        raise


def down(folder: Path | None = None) -> bool:
    """Stop the sandbox; False when none was running.

    Raises:
        SandboxError: it would not end.
    """
    place = folder or folders.shared_folder()
    pid = folders.owner_pid(place)
    if pid is None:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + DOWN_TIMEOUT_S
    while folders.is_locked(place):
        if time.monotonic() > deadline:
            raise SandboxError(f"the sandbox in {place} (process {pid}) does not end")
        time.sleep(0.02)
    return True


def find_running(folder: Path | None = None) -> Layout | None:
    """The sandbox that is up in the folder, None when none of ours is."""
    place = folder or folders.shared_folder()
    if not folders.is_ours(place) or not folders.is_locked(place):
        return None
    try:
        layout = Layout.load(place / "sandbox.json")
    except (OSError, ValueError, KeyError, TypeError):
        return None
    # A layout that names another folder would have that folder's configuration read.
    return layout if os.path.realpath(layout.folder) == os.path.realpath(place) else None


def find_private() -> Layout | None:
    """The newest private sandbox of this user that is up, None when none is."""
    return next(filter(None, map(find_running, folders.private_folders())), None)


def status(layout: Layout) -> dict[str, Any]:
    """What runs and what is broken: folder, pid, up_s, services (name -> pid, 0 = not running), faults."""
    return ask(layout, "status")


def inject(layout: Layout, fault: str) -> dict[str, Any]:
    """Break something; nothing happens when it is already broken."""
    return ask(layout, "inject", fault=fault)


def calm(layout: Layout, fault: str) -> dict[str, Any]:
    """End a fault's cause and leave what it caused: a halt stays until somebody releases it."""
    return ask(layout, "calm", fault=fault)


def clear(layout: Layout, fault: str | None = None) -> dict[str, Any]:
    """Repair one fault, or all of them."""
    return ask(layout, "clear", fault=fault)


def environment(layout: Layout) -> dict[str, str]:
    """This process' environment, pointed at the sandbox: PATH begins with its bin/."""
    path = f"{layout.bin}:{os.environ.get('PATH', os.defpath)}"
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    return kept | shell_variables(layout) | {"PATH": path}


def _spawn(folder: Path, rates: Rates, options: list[str], stdin: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "cockpit.sandbox.supervisor", "--folder", str(folder), "--seed", str(rates.seed)]
    command += ["--orders-per-s", str(rates.orders_per_s), "--ticks-per-s", str(rates.ticks_per_s), *options]
    return subprocess.Popen(
        command,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # Ctrl-C and a hang-up are for the cockpit; the sandbox learns from its lifeline
        cwd="/",
        env=_own_environment(),
    )


def _own_environment() -> dict[str, str]:
    """The child must find this very package, wherever we were started from."""
    package_root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(part for part in (package_root, os.environ.get("PYTHONPATH", "")) if part)
    return {**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"}


def _wait_up(process: subprocess.Popen[bytes], watch: Watch | None) -> Layout:
    """Read progress until the sandbox is up."""
    assert process.stdout is not None
    other: list[str] = []
    with process.stdout as lines:
        for line in lines:
            try:
                facts = json.loads(line)
                assert isinstance(facts, dict)
            except (ValueError, AssertionError):
                other = [*other[-4:], line.decode("utf-8", errors="replace").strip()]
                continue
            if "up" in facts:
                return Layout.load(Path(facts["up"]) / "sandbox.json")
            if "failed" in facts:
                raise SandboxError(f"the sandbox did not come up: {facts['failed']}")
            if watch is not None and "step" in facts:
                watch(Progress(str(facts["step"]), float(facts["at_s"])))
    raise SandboxError("the sandbox did not come up: " + (" | ".join(other[-2:]) or "it ended without a word"))


def _cut(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()
    try:
        process.wait(DOWN_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
