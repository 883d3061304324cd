"""Bad text from real sources, to the bytes on a real pty: Redis, Grafana, a broker, files, and the host's own names."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.ptyprogram import PtyProgram
from cockpit.config import load
from cockpit.model.severity import Severity
from cockpit.storage.incidents import Incidents, Opening
from cockpit.terminal.last_word import WIPE
from tests.sandbox.redis_servers import Server, serving
from tests.sandbox.small_platform import SERVER
from tests.terminal.hostile import TEXTS, raw_in

BAD = [text for name, text in sorted(TEXTS.items()) if name not in ("empty", "surrogates")]
KEYS = (
    "\t", "z", "\x1b", "/b\r", "\x1b", "?", "\x1b", ":", "\x1b", "2", "j", "\r", "\x1b", "3", "\t", "x", "\t", "\x1b",
    "6", "7", "v", "1", "K", "\x1b", " b", "\x1b", "\x1b", "n", "\x1b", "t", "t",
)  # fmt: skip
WAIT_S = 0.12
"""Longer than it is waited for what follows an Esc; on a slow machine some keys become others, and nothing is lost."""
SIZE = (120, 40)


class Poisoned(BaseHTTPRequestHandler):
    """Grafana and a broker's API at once: every text that they can say is bad."""

    def do_GET(self) -> None:
        bad = "  ".join(BAD)
        alert = {"state": "Alerting", "annotations": {"summary": bad}, "labels": {"alertname": bad}, "value": bad}
        rules = [
            {"name": text, "state": "firing", "labels": {"severity": text}, "annotations": {"summary": text},
             "alerts": [alert], "health": text, "lastError": text}
            for text in BAD
        ]  # fmt: skip
        found: Any = {"data": {"groups": [{"name": bad, "rules": rules}]}, "database": bad, "message": bad}
        if "/alerts" in self.path or "/silences" in self.path:
            found = [{"labels": {"alertname": text}, "annotations": {"summary": text}, "comment": text} for text in BAD]
        body = json.dumps(found).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Not to the terminal."""


@pytest.fixture
def poisoned() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Poisoned)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "redis"
    folder.mkdir()
    with serving(str(SERVER), folder) as server:
        fill(server)
        yield server


def fill(server: Server) -> None:
    """As a platform would, but every name, reason and message is bad."""
    now_ms = int(time.time() * 1000)
    for at, text in enumerate(BAD):
        venue = "IBKR" if at == 0 else text
        state = {"status": text, "code": text, "message": text, "ts_ms": now_ms}
        server.client.hset("venue:status", venue, json.dumps(state))
        server.client.hset("positions", text, json.dumps({"qty": 5 + at, "mark": 2.0, "notional_usd": 10}))
        server.client.hset("engine:hb", text, json.dumps({"ts_ms": now_ms - 60_000}))
        server.client.hset("ingest:active", text, text)
        for stream in ("orders.incoming", "orders.validated", "ticks.yahoo"):
            server.client.xgroup_create(stream, text, "0", mkstream=True)
            server.add(stream, {"id": text, "reason": text, "ts_ms": now_ms})
            server.client.xreadgroup(text, text, {stream: ">"})
    reason = "  ".join(BAD)
    server.client.hset("policy:kill_switch", mapping={"enabled": "true", "reason": reason, "by": reason, "ts": now_ms})
    server.client.hset("policy:route_override", "IBKR", reason)
    server.add("risk.metrics", {"book": reason, "var_99": 1.0, "ts_ms": now_ms})
    server.client.config_set("maxmemory-policy", "noeviction")
    server.client.client_setname("x")


@pytest.fixture
def config(tmp_path: Path, redis: Server, poisoned: int) -> Path:
    """And the files that others write: registry, alerts, runbook's incidents."""
    reason = "  ".join(BAD)
    (tmp_path / "registry.yaml").write_text(yaml.safe_dump({"primary_feed": reason, "backup_feed": BAD[0]}))
    (tmp_path / "alerts.yaml").write_bytes(f"routes: [{reason!r}\n\x1b[2J".encode())
    web = f"http://127.0.0.1:{poisoned}"
    file = tmp_path / "cockpit.yaml"
    file.write_text(
        yaml.safe_dump(
            {
                "site": "hf-1", "world": "SANDBOX", "root": str(tmp_path), "state": str(tmp_path / "state"),
                "redis": {"url": f"redis://127.0.0.1:{redis.port}/0", "watched_streams": ["ticks.yahoo"]},
                "grafana": {"url": web},
                "venues": [{"name": "IBKR", "probe": web, "backup": "paper"}, {"name": "ZERODHA", "probe": web}],
            }
        )
    )  # fmt: skip
    incidents = Incidents(load(file).incidents_folder, "somebody")
    made = incidents.open(Opening("gateway", Severity.P2, "## Summary\n\n"))
    path = load(file).incidents_folder / f"{made.id}.md"
    path.write_bytes(path.read_bytes() + "\n".join(BAD).encode() + b"\n\xff\xfe\x9b31m \x1b[2J\n")
    return file


def test_only_our_own_sequences_reach_the_terminal(config: Path) -> None:
    env = {"USER": BAD[0], "LOGNAME": BAD[0], "SSH_CONNECTION": "\x1b[31m 1 2 3", "SSH_TTY": "\x1b]2;x\x07"}
    program = PtyProgram([sys.executable, "-m", "cockpit", "--config", str(config)], *SIZE, env=env)
    try:
        program.until(lambda text: "HALTED" in text and "FIRING" in text, 30.0)
        seen = []
        for key in KEYS:
            seen.append(program.text)
            assert is_aligned(program)
            program.send(key)
            program.drain(WAIT_S)
        os.kill(program.pid, signal.SIGTERM)
        assert program.wait(8.0) == 143, program.text
    finally:
        program.close()
    assert any("31mred" in text for text in seen), "the bad text was to be seen"
    output = bytes(program.output).decode()
    assert raw_in(output.partition(WIPE)[0]) is None


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
