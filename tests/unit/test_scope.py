"""The command line of a worker where systemd might end it with the session; there is no systemd in a test."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from cockpit.jobs import scope
from cockpit.jobs.launch import worker_command

PLAIN = ["-P", "-m", "cockpit.jobs.worker", "/j", "/j/settings.json"]


@pytest.mark.parametrize(
    ("choice", "has_systemd", "said", "uid", "is_scoped"),
    [
        ("auto", True, "b true\n", 1000, True),
        ("auto", True, "b false\n", 1000, False),
        ("auto", True, "", 1000, False),
        ("auto", True, "b true\n", 0, False),
        ("auto", False, "b true\n", 1000, False),
        ("always", True, "b false\n", 1000, True),
        ("always", False, "b true\n", 1000, False),
        ("never", True, "b true\n", 1000, False),
    ],
)
def test_the_command_line(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    choice: str,
    has_systemd: bool,
    said: str,
    uid: int,
    is_scoped: bool,
) -> None:
    def run(command: Any, **_: Any) -> subprocess.CompletedProcess[str]:
        assert command[-1] == "KillUserProcesses"
        return subprocess.CompletedProcess(command, 0, said, "")

    monkeypatch.setattr(scope, "SYSTEMD", tmp_path if has_systemd else tmp_path / "none")
    monkeypatch.setattr(scope, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(scope.os, "geteuid", lambda: uid)
    monkeypatch.setattr(scope.subprocess, "run", run)
    scope.kills_sessions.cache_clear()
    try:
        command = worker_command(Path("/j"), choice)
    finally:
        scope.kills_sessions.cache_clear()
    assert command[-len(PLAIN) :] == PLAIN
    before = ["systemd-run", "--user", "--scope", "--quiet", "--"] if is_scoped else []
    assert command[: -len(PLAIN) - 1] == before


def test_a_logind_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def hang(command: Any, timeout: float, **_: Any) -> None:
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(scope, "which", lambda name: name)
    monkeypatch.setattr(scope.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(scope.subprocess, "run", hang)
    scope.kills_sessions.cache_clear()
    assert not scope.kills_sessions()
    scope.kills_sessions.cache_clear()
