"""A sandbox comes up quickly, goes with whoever it belongs to, and never leaves anything behind."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from conftest import wait_until

from cockpit.errors import SandboxError
from cockpit.sandbox import folders, launcher

OWNER = """
import sys
from cockpit.sandbox import launcher
box = launcher.launch_private()
print(box.layout.folder, box.pid, flush=True)
sys.stdin.read()
"""


def tree(supervisor: int) -> list[psutil.Process]:
    """The supervisor and everything below it (psutil knows a recycled process id from the original)."""
    process = psutil.Process(supervisor)
    return [process, *process.children(recursive=True)]


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that still run; what is only waiting to be reaped has ended."""
    found = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


@pytest.fixture
def owner() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    yield process
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def told(owner: subprocess.Popen[str]) -> tuple[Path, int]:
    folder, pid = owner.stdout.readline().split()
    return Path(folder), int(pid)


def test_comes_up_quickly_and_goes_without_a_trace() -> None:
    began = time.monotonic()
    steps: list[str] = []
    box = launcher.launch_private(watch=lambda progress: steps.append(progress.step))
    took_s = time.monotonic() - began
    folder = box.layout.folder
    try:
        assert took_s < 15.0, "one to two seconds on an idle machine; the benchmark measures it"
        assert {"redis", "postgres", "APIs", "workers"} <= set(steps)
        assert launcher.find_running(folder) == box.layout
        everything = tree(box.pid)
        assert len(everything) > 10
        assert not (folder.stat().st_mode & 0o066)
    finally:
        box.close()
    wait_until(lambda: not alive(everything))
    assert not folder.exists()
    assert launcher.find_running(folder) is None


def test_kill_9_of_the_owner_takes_the_sandbox_along(owner: subprocess.Popen[str]) -> None:
    folder, supervisor = told(owner)
    everything = tree(supervisor)
    owner.kill()
    wait_until(lambda: not alive(everything) and not folder.exists())


@pytest.mark.parametrize("fault", [None, "redis-blackhole", "postgres-blackhole"])
def test_kill_9_of_the_supervisor_leaves_no_process(owner: subprocess.Popen[str], fault: str | None) -> None:
    folder, supervisor = told(owner)
    if fault is not None:
        launcher.inject(launcher.find_running(folder), fault)
    everything = tree(supervisor)
    os.kill(supervisor, signal.SIGKILL)
    wait_until(lambda: not alive(everything))
    assert folder.exists(), "nobody was left to remove it"
    os.utime(folder / "run" / "lock", (0, 0))
    folders.sweep()
    assert not folder.exists()


def test_a_shared_one_stays_until_told() -> None:
    folder = folders.base_folder() / f"cockpit-test-{os.getpid()}"
    try:
        layout = launcher.up(folder)
        assert launcher.up(folder) == layout, "the second one finds the first"
        assert launcher.status(layout)["faults"] == []
        everything = tree(launcher.status(layout)["pid"])
        assert launcher.down(folder)
        wait_until(lambda: not alive(everything))
        assert not launcher.down(folder)
        assert launcher.up(folder).folder == folder, "a folder that was left behind is used again"
    finally:
        launcher.down(folder)
        folders.empty(folder)
        folder.rmdir()


def test_a_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "x"
    folder.mkdir()
    precious = folder / "precious"
    precious.write_text("here")
    with pytest.raises(SandboxError):
        folders.prepare(folder)
    assert precious.read_text() == "here"


def test_a_long_path_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="too long"):
        folders.prepare(tmp_path / ("x" * 80))


def test_folders_that_are_made_on_the_way_let_the_postgres_user_through() -> None:
    wanted, before = 0o711 if os.geteuid() == 0 else 0o700, os.umask(0o077)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            folders.prepare(folder / "a" / "b" / "sb")
        finally:
            os.umask(before)
        assert [stat.S_IMODE((folder / each).stat().st_mode) for each in ("a", "a/b", "a/b/sb")] == [wanted] * 3
