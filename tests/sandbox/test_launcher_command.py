"""`cockpit sandbox ...` as a user types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cockpit import cli
from cockpit.sandbox import folders, launcher
from cockpit.sandbox.faults import FAULTS


def cockpit(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "cockpit", *arguments], capture_output=True, text=True, timeout=60)


def facts(*arguments: str) -> dict[str, object]:
    done = cockpit("sandbox", *arguments, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    folder = folders.base_folder() / f"cockpit-cli-{os.getpid()}"
    yield folder
    cockpit("sandbox", "down", "--folder", str(folder))
    folders.empty(folder)
    folder.rmdir()


def test_a_life_on_the_command_line(folder: Path) -> None:
    here = ("--folder", str(folder))
    assert facts("status", *here) == {"up": False}
    assert f"start one: cockpit sandbox up --folder {folder}\n" in cockpit("sandbox", "status", *here).stdout
    assert facts("up", *here)["was_up"] is False
    assert facts("up", *here)["was_up"] is True
    assert f"stop it: cockpit sandbox down --folder {folder}\n" in cockpit("sandbox", "up", *here).stdout
    assert facts("inject", "feed-late", *here) == {"fault": "feed-late", "injected": True}
    status = cockpit("sandbox", "status", *here).stdout
    assert "feed-late" in status
    assert "redis" in status
    assert facts("clear", *here) == {"cleared": ["feed-late"]}
    exports = cockpit("sandbox", "env", *here).stdout
    line = f"{exports}\nredis-cli XLEN orders.incoming"
    assert int(subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True).stdout) > 0
    assert f"journals stay in {folder} until" in cockpit("sandbox", "down", *here).stdout
    assert (folder / "logs").is_dir()
    assert facts("down", *here) == {"was_up": False}


@pytest.mark.parametrize(("fault", "is_lifting"), [("drawdown", True), ("feed-late", False)])
def test_clearing_says_where_it_lifts_a_halt(
    fault: str, is_lifting: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(launcher, "find_running", lambda _: "a sandbox")
    monkeypatch.setattr(launcher, "clear", lambda layout, named: {"cleared": [named]})
    assert cli.run(["sandbox", "clear", fault]) == 0
    assert ("a halt by the risk manager is lifted with it" in capsys.readouterr().out) is is_lifting


def test_every_fault_is_listed_with_what_it_breaks() -> None:
    listed = cockpit("sandbox", "faults").stdout
    assert all(fault.id in listed and fault.breaks in listed for fault in FAULTS.values())
    assert max(map(len, listed.splitlines())) <= 120


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("inject", "redis-kiled"), "did you mean redis-killed"),
        (("inject", "feed-late"), "no sandbox is running"),
        (("env",), "no sandbox is running"),
        (("up", "--orders-per-s", "lots"), "orders-per-s"),
        (("up", "--seed", "1.5"), "seed"),
        (("up", "--folder", "/proc/nowhere"), "/proc/nowhere"),
        (("explode",), "explode"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    if "--folder" not in arguments:
        arguments = (arguments[0], "--folder", str(tmp_path), *arguments[1:])
    done = cockpit("sandbox", *arguments)
    assert done.returncode in (2, 6)
    assert words in done.stderr
    assert "Traceback" not in done.stderr
