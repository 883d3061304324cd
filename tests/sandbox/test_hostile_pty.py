"""Bad text from real sources, to the bytes on a real pty: every backend, every file of others, the host's own names."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg.conninfo
import pytest
import yaml

from benchmarks.operator import CALM_S
from benchmarks.ptyprogram import PtyProgram
from cockpit.config import load
from cockpit.model.severity import Severity
from cockpit.sandbox.layout import Layout
from cockpit.storage.incidents import Incidents, Opening
from tests.sandbox.conftest import Control
from tests.sandbox.hostile_platform import (
    ALL,
    BAD,
    NAME,
    PASSWORD,
    SHORT,
    fill,
    kubeconfig,
    leave,
    postgres,
    runbook,
    servers,
)
from tests.sandbox.redis_servers import Server, serving
from tests.sandbox.small_platform import SERVER
from tests.terminal.hostile import raw_on_pty

KEYS = (
    "\t", "z", "\x1b", "/b\r", "\x1b", "?", "\x1b", ":", "\x1b", "2", "j", "\r", "\x1b", "3", "\t", "x", "\t", "\x1b",
    "4", "j", "\r", "\x1b", "r", "\x1b", "6", "\r", "\x1b", "j", "\r", "\x1b",
    "7", "v", "1", "K", "\x1b", " b", "\x1b", "\x1b", "n", "\x1b", "t", "t", "\x1b", "\x1b", "\x1b", "1",
)  # fmt: skip
PLACES = (
    ((" ", "o"), r"Space o › 9 \[/\]AA.*中文字"),
    (("s",), r"Enter closes"),
    (("\r", "6", "z"), r"─ Output .*red.*gnp.exe"),
    (("\x1b",), r"─ Jobs ─"),
    (("1", " ", "p", "t"), r"last query: LOCK TABLE.*red.*By hand.*red.*Type backend"),
    (("\x1b",), r"^(?!.*Type backend)"),
    (("5",), r"not needed.*31mred"),
    (("r",), r"would NOT work.*red"),
    (("6", "G", "z"), r"─ Output .*31mred"),
    (("\x1b",), r"─ Jobs ─"),
    (("7",), r"BROKEN|cannot be read|damaged|not sound"),
)
"""Keys, and what is to be seen then: a step's words and output, a session that blocks, a rehearsal."""
WAIT_S = 0.12
"""Longer than it is waited for what follows an Esc; on a slow machine some keys become others, and nothing is lost."""
SIZE = (120, 40)
TOLD = (
    "status", "runbook", "runbook --live", "runbook --paper", "readiness --last", "audit show", "audit verify",
    "incident list", "incident show", "incident search red", "incident note red", "jobs", "notify --undelivered",
)  # fmt: skip


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "redis"
    folder.mkdir()
    with serving(str(SERVER), folder) as server:
        fill(server)
        yield server


@pytest.fixture
def config(sandbox: tuple[Layout, Control], tmp_path: Path, redis: Server) -> Iterator[Path]:
    """And the files that others write: registry, alerts, runbook, incidents, dumps, programs."""
    root = tmp_path / f"root{NAME}"
    root.mkdir()
    (root / "registry.yaml").write_text(yaml.safe_dump({"primary_feed": ALL, "backup_feed": BAD[0]}))
    (root / "alerts.yaml").write_bytes(f"routes: [{ALL!r}\n\x1b[2J".encode())
    (root / "shouts").write_bytes((ALL + "\n").encode() * 20 + b"\xff\x9b31m\r\x1b[2J")
    (root / f"{NAME}.dump").write_bytes(b"PGDMP" + ALL.encode())
    runbook(root / "own.yaml", root / "shouts")
    (root / "password").write_text(PASSWORD)
    program = root / "git"
    program.write_text(f"#!/bin/sh\ncat '{root}/shouts' >&2\nexit 1\n")
    program.chmod(0o755)
    with servers() as (web, tws, noise), postgres(sandbox[0]) as dsn:
        kubeconfig(root / "kubeconfig", web)
        url = f"http://127.0.0.1:{web}"
        brokers = {"IBKR": f"tws://127.0.0.1:{tws}", "ZERODHA": url, SHORT: f"tws://127.0.0.1:{noise}"}
        found: dict[str, Any] = {
            "site": "hf-1", "world": "SANDBOX", "root": str(root), "state": str(root / "state"),
            "redis": {"url": f"redis://127.0.0.1:{redis.port}/0", "watched_streams": ["ticks.yahoo", f"ticks.{SHORT}"]},
            "grafana": {"url": url},
            "kubernetes": {"kubeconfig": str(root / "kubeconfig"), "deployments": ["ws-gateway", SHORT]},
            "docker": {"url": url.replace("http", "tcp"), "containers": ["redis", BAD[0], "gone" + SHORT]},
            "postgres": {
                "dsn": psycopg.conninfo.make_conninfo(**dsn), "password": {"file": str(root / "password")},
                "tables": [SHORT, f"gone{SHORT}"], "dump": str(root / f"{NAME}.dump"),
                "pg_restore": str(root / "git"),
            },
            "venues": [{"name": name, "probe": probe, "phone": SHORT} for name, probe in brokers.items()],
            "contacts": [{"name": SHORT, "phone": SHORT, "role": SHORT}],
            "runbook": str(root / "own.yaml"),
            "incidents": {"git": True},
        }  # fmt: skip
        file = tmp_path / "cockpit.yaml"
        file.write_text(yaml.safe_dump(found))
        incidents = Incidents(load(file).incidents_folder, "somebody")
        made = incidents.open(Opening("gateway", Severity.P2, "## Summary\n\n"))
        path = load(file).incidents_folder / f"{made.id}.md"
        path.write_bytes(path.read_bytes() + "\n".join(BAD).encode() + b"\n\xff\xfe\x9b31m \x1b[2J\n")
        (path.parent / f"2026-01-01-0000-P1-{NAME}.md").write_bytes(path.read_bytes())
        state = load(file).state
        assert state is not None
        leave(state, tmp_path / "home")
        yield file


def test_only_our_own_sequences_reach_the_terminal(config: Path) -> None:
    folder = load(config).root
    env = {"USER": BAD[0], "LOGNAME": BAD[0], "SUDO_USER": BAD[0], "SSH_CONNECTION": "\x1b[31m 1 2 3",
           "SSH_TTY": "\x1b]2;x\x07",
           "XDG_STATE_HOME": str(folder.parent / "home"), "PATH": f"{folder}:{os.environ['PATH']}"}  # fmt: skip
    command = [sys.executable, "-m", "tests.sandbox.hostile_host", "--config", str(config)]
    program = PtyProgram(command, *SIZE, env=env)
    try:
        program.until(lambda text: "HALTED" in text and "FIRING" in text)
        seen = []
        for key in KEYS:
            seen.append(program.text)
            program.until(lambda _: is_aligned(program))
            program.send(key)
            program.drain(WAIT_S)
        for keys, wanted in PLACES:
            for key in keys:
                program.send(key)
                program.drain(WAIT_S)
            program.until(partial(has, re.compile(wanted, re.DOTALL)))
            program.until(lambda _: is_aligned(program))
            program.drain(CALM_S)
        os.kill(program.pid, signal.SIGTERM)
        assert program.wait() == 143, program.text
    finally:
        program.close()
    assert any("31mred" in text for text in seen), "the bad text was to be seen"
    assert [each for each in told(config) if not each.isprintable()] == []
    assert raw_on_pty(bytes(program.output)) is None


def told(config: Path) -> Iterator[str]:
    """What the commands without a screen print of the same on a terminal."""
    command = [sys.executable, "-m", "tests.sandbox.hostile_host", "--config", str(config)]
    env = {"PATH": f"{load(config).root}:{os.environ['PATH']}"}
    programs = {words: PtyProgram([*command, *words.split()], env=env) for words in TOLD}
    for words, program in programs.items():
        try:
            program.wait()
            output = bytes(program.output).decode()
            assert output and "Traceback" not in output and "usage:" not in output, words
            yield output.replace("\r\n", "")
        finally:
            program.close()


def has(wanted: re.Pattern[str], text: str) -> bool:
    return bool(wanted.search(text))


def is_aligned(program: PtyProgram) -> bool:
    """Where the wall's panels are whole, their sides stand in columns: no character was wider than we count it."""
    screen = program.screen
    rows = [[screen.buffer[y][x].data for x in range(screen.columns)] for y in range(screen.lines)]
    tops = [y for y, row in enumerate(rows) if row.count("╭") == row.count("╮") == 3]
    for y in tops if len(tops) == 3 else ():
        columns = [x for x, char in enumerate(rows[y]) if char in "╭╮"]
        bottom = next((at for at in range(y, len(rows)) if rows[at].count("╰") == 3), y)
        if any(rows[at][x] != "│" for at in range(y + 1, bottom) for x in columns):
            return False
    return True
